"""Runs scenarios, each in a process and on a database of its own.

The program is loaded once, a line of JSON asks for a scenario, and a fork of the loaded program plays it. What a scenario sees,
kills or locks is its own, and the fork can be killed as any process; loading would take a second of the processor each time.
"""

import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module, reload
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.utils.functional import empty

from vsm import config
from vsm.kit.loading import for_good

# As in tests/conftest.py: nobody breaks into these databases, and a hash as in production takes a tenth of a second for each person.
QUICK_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def main(scenario: str, options: Mapping[str, Any]) -> None:
    module, _, function = scenario.partition(":")
    print(json.dumps(getattr(import_module(module), function)(**options)), flush=True)


def serve() -> None:
    """Answer each line `{"environment", "scenario", "options", "out", "err"}` with `{"pid"}` at once and `{"code"}` at its end."""
    for line in sys.stdin:
        asked = json.loads(line)
        pid = os.fork()
        if not pid:
            os._exit(_play(**asked))
        print(json.dumps({"pid": pid}), flush=True)
        _pid, status = os.waitpid(pid, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)


def _play(environment: dict[str, str], scenario: str, options: dict[str, Any], out: str, err: str) -> int:
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    try:
        _settle(environment)
        main(scenario, options)
    except BaseException:  # noqa: BLE001 -- whatever ends the scenario is told to whoever asked for it
        traceback.print_exc()
        return 1
    finally:
        connections.close_all()  # SQLite puts its journal into its file
    return 0


def _settle(environment: dict[str, str]) -> None:
    """This process belongs to that environment now, as if it had been started in it. Nothing was opened before."""
    os.environ.clear()
    os.environ.update(environment)
    config.settings.cache_clear()
    reload(sys.modules["vsm.app.settings"])
    settings._wrapped = empty
    settings.PASSWORD_HASHERS = QUICK_HASHERS
    connections.settings = connections.configure_settings(None)
    del connections[DEFAULT_DB_ALIAS]


def prepare() -> None:
    """Tables straight from the models: these tests are about commits, not about migrations."""
    settings.MIGRATION_MODULES = {config.label: None for config in django.apps.apps.get_app_configs()}
    call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)


def in_a_fork(act: Callable[[], Any]) -> BaseProcess:
    """A process that does it, begun; it shares no connection with this one. Its exit code is 1 when something was raised."""
    connections.close_all()
    process = get_context("fork").Process(target=act)
    process.start()
    return process


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
    with for_good():
        django.setup()
    serve()
