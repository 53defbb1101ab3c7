"""Django's registration of this slice."""

from importlib import import_module

from django.apps import AppConfig


class AllocationConfig(AppConfig):
    name = "vsm.exchange.allocation"
    label = "allocation"

    def ready(self) -> None:
        """Acts and nouns that stand beside `actions` and `queries`, so that every door knows them."""
        for module in ("policies", "appeals", "trials"):
            import_module(f"vsm.exchange.allocation.{module}")
