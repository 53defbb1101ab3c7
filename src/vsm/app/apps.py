"""Composition at start-up: every action, resource and subscription becomes known."""

from importlib import import_module

from django.apps import AppConfig

SLICES = (
    "people", "institutions", "agreements", "catalogue", "applications", "allocation",
    "learning_agreements", "sessions", "teams", "mobilities", "recognition", "credentials",
    "programmes",
    "placements", "preparations",
    "emergencies",
    "collaborations", "events", "statistics",
)  # fmt: skip
OBSERVATORY = ("sources", "estimates", "exchange_series", "casebook", "publications")


class CompositionConfig(AppConfig):
    name = "vsm.app"
    label = "composition"

    def ready(self) -> None:
        import_module("vsm.kit.outbox")
        for slice_ in SLICES:
            import_module(f"vsm.exchange.{slice_}.queries")
            import_module(f"vsm.exchange.{slice_}.actions")
        for slice_ in OBSERVATORY:
            import_module(f"vsm.observatory.{slice_}.queries")
            import_module(f"vsm.observatory.{slice_}.actions")
        import_module("vsm.app.subscriptions")
