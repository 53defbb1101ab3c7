"""Django's registration of this part."""

from django.apps import AppConfig


class EstimatesConfig(AppConfig):
    name = "vsm.observatory.estimates"
    label = "estimates"
