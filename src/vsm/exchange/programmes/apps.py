"""Django's registration of this slice."""

from django.apps import AppConfig


class ProgrammesConfig(AppConfig):
    name = "vsm.exchange.programmes"
    label = "programmes"
