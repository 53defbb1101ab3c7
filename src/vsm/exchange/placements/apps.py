"""Django's registration of this slice."""

from django.apps import AppConfig


class PlacementsConfig(AppConfig):
    name = "vsm.exchange.placements"
    label = "placements"
