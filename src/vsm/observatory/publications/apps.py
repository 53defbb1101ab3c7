"""Django's registration of this part."""

from django.apps import AppConfig


class PublicationsConfig(AppConfig):
    name = "vsm.observatory.publications"
    label = "publications"
