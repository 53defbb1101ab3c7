"""First starts on a database, each played in a process of its own (tests/races/stage.py)."""

from typing import Any

from django.core.management import call_command
from django.db import connection

from vsm.cli.preparing import is_untouched, migrate_database
from vsm.exchange.institutions.models import Hub
from vsm.exchange.people.models import Person


def twice() -> list[str]:
    """What the first start and the second say. Ends with an error when a migration is left to do in between."""
    first = migrate_database()
    call_command("migrate", check_unapplied=True, verbosity=0)
    return [first, migrate_database()]


def interrupted() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE people_person (id integer primary key)")


def begun_again() -> int:
    migrate_database()
    return Person.objects.count()


def one_step_behind() -> None:
    migrate_database()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'publications'")


def looked_at() -> dict[str, Any]:
    return {"untouched": is_untouched(), "hubs": Hub.objects.count()}
