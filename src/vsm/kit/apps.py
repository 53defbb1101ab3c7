"""Django's registration of the kit's tables."""

from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "vsm.kit"
    label = "kit"
