"""Django's registration of this slice."""

from django.apps import AppConfig


class PreparationsConfig(AppConfig):
    name = "vsm.exchange.preparations"
    label = "preparations"
