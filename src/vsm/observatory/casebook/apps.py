"""Django's registration of this slice."""

from django.apps import AppConfig


class CasebookConfig(AppConfig):
    name = "vsm.observatory.casebook"
    label = "casebook"
