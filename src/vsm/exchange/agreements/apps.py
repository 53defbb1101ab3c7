"""Django's registration of this slice."""

from django.apps import AppConfig


class AgreementsConfig(AppConfig):
    name = "vsm.exchange.agreements"
    label = "agreements"
