"""Django's registration of this slice."""

from django.apps import AppConfig


class ApplicationsConfig(AppConfig):
    name = "vsm.exchange.applications"
    label = "applications"
