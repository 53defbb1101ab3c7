"""Django's registration of this slice."""

from django.apps import AppConfig


class MobilitiesConfig(AppConfig):
    name = "vsm.exchange.mobilities"
