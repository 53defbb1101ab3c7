"""Django's registration of this slice."""

from django.apps import AppConfig


class CollaborationsConfig(AppConfig):
    name = "vsm.exchange.collaborations"
    label = "collaborations"
