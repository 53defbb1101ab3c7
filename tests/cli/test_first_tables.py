"""A first start lays out today's tables at once, and one that is interrupted meanwhile is begun again."""

import subprocess
import sys

import pytest

from tests.races.ground import ROOT

pytestmark = pytest.mark.committed

PRELUDE = "import django; django.setup()\nfrom django.core.management import call_command\nfrom django.db import connection\nfrom vsm.cli.preparing import migrate_database\n"


def answered(own: dict[str, str], body: str) -> str:
    done = subprocess.run([sys.executable, "-c", PRELUDE + body], env=own, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_every_migration_is_noted_and_the_next_start_has_nothing_to_do(environment: dict[str, str]) -> None:
    told = answered(environment, "print(migrate_database()); call_command('migrate', check_unapplied=True, verbosity=0); print(repr(migrate_database()))")
    assert told.splitlines()[0].endswith(" migrations")
    assert told.splitlines()[1] == "''"


def test_tables_that_an_interrupted_start_left_are_laid_out_again(environment: dict[str, str]) -> None:
    answered(environment, "with connection.cursor() as cursor: cursor.execute('CREATE TABLE people_person (id integer primary key)')")
    told = answered(environment, "migrate_database(); from vsm.exchange.people.models import Person; print(Person.objects.count())")
    assert told == "0"


def test_a_database_that_was_migrated_once_is_never_laid_out_again(environment: dict[str, str]) -> None:
    answered(environment, "migrate_database()\nwith connection.cursor() as cursor: cursor.execute(\"DELETE FROM django_migrations WHERE app = 'publications'\")")
    told = answered(
        environment,
        "from vsm.cli import preparing\nfrom vsm.exchange.institutions.models import Hub\nprint(preparing.is_untouched(), Hub.objects.count())",
    )
    assert told == "False 1"
