"""Django's registration of this slice."""

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "vsm.exchange.catalogue"
    label = "catalogue"
