"""Django's registration of this slice."""

from django.apps import AppConfig


class SourcesConfig(AppConfig):
    name = "vsm.observatory.sources"
    label = "sources"
