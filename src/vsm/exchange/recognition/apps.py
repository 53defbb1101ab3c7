"""Django's registration of this slice."""

from django.apps import AppConfig


class RecognitionConfig(AppConfig):
    name = "vsm.exchange.recognition"
    label = "recognition"
