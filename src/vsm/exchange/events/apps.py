"""Django's registration of this slice."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "vsm.exchange.events"
    label = "events"
