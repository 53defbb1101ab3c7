"""Django's registration of this slice."""

from django.apps import AppConfig


class StatisticsConfig(AppConfig):
    name = "vsm.exchange.statistics"
    label = "statistics"
