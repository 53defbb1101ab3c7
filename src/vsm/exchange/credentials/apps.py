"""Django's registration of this slice."""

from django.apps import AppConfig


class CredentialsConfig(AppConfig):
    name = "vsm.exchange.credentials"
    label = "credentials"
