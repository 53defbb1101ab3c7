"""Runs one scenario on its own database: `python -m tests.races.stage module:function '{"seed": 1}'`."""

import json
import sys
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection


def main(scenario: str, options: str) -> None:
    django.setup()
    module, _, function = scenario.partition(":")
    print(json.dumps(getattr(import_module(module), function)(**json.loads(options))))


def prepare() -> None:
    """Tables straight from the models: these tests are about commits, not about migrations."""
    settings.MIGRATION_MODULES = {config.label: None for config in django.apps.apps.get_app_configs()}
    call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)


def at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all at the same moment, each in a thread with a connection of its own; an exception is an answer too."""
    barrier = threading.Barrier(len(acts))
    answers: list[Any] = [None] * len(acts)

    def run(place: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(120)
            answers[place] = acts[place]()
        except Exception as cause:  # noqa: BLE001 -- the scenario counts its refusals by their class
            answers[place] = cause
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
