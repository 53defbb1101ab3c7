"""Django's registration of this part."""

from django.apps import AppConfig


class ExchangeSeriesConfig(AppConfig):
    name = "vsm.observatory.exchange_series"
    label = "exchange_series"
