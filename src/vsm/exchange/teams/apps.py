"""Django's registration of this slice."""

from django.apps import AppConfig


class TeamsConfig(AppConfig):
    name = "vsm.exchange.teams"
    label = "teams"
