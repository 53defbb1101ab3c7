"""Django's registration of this slice."""

from django.apps import AppConfig


class EmergenciesConfig(AppConfig):
    name = "vsm.exchange.emergencies"
