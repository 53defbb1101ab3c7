"""Django's registration of this slice."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "vsm.exchange.people"
    label = "people"
