"""Django's registration of this slice."""

from django.apps import AppConfig


class InstitutionsConfig(AppConfig):
    name = "vsm.exchange.institutions"
    label = "institutions"
