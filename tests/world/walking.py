"""Who walks the site, by which methods, and what each institution's records carry that nobody else may read."""

from tests.depth import FEW, Depth
from vsm.demo import World
from vsm.exchange.applications.models import Application
from vsm.exchange.people.models import StudentRecord
from vsm.exchange.people.queries import actor_of
from vsm.kit.actions import actions_on
from vsm.kit.actors import ANONYMOUS, Actor
from vsm.observatory.sources.models import OwnTable

READERS = ("", "ana", "bia", "rosa", "carlos", "ines", "raul", "dora", "olga")
METHODS = ("get", "post", "put", "patch", "delete", "options", "head")
# Nobody and a stranger try every method; what a page answers to them does not hang on who else asks.
THOROUGH = {"", "dora"}


def verbs(noun: str, reader: str, depth: Depth) -> list[str]:
    """What can be done with such a record: all of it, or at the gate every eighth act, of which each of the readers tries others."""
    every = [action.verb for action in actions_on(noun)]
    return every if depth else every[FEW.index(reader) :: 8]


def plant_sentinels() -> None:
    """Mark what belongs to each home institution with words that nobody else may read."""
    for application in Application.objects.select_related("home"):
        Application.objects.filter(pk=application.pk).update(motivation=f"sentinel-{application.home.schac}", needs=f"sentinel-{application.home.schac}")
    for record in StudentRecord.objects.select_related("home"):
        StudentRecord.objects.filter(pk=record.pk).update(needs=f"sentinel-{record.home.schac}")


def plant_table() -> None:
    """A table that was handed in and is not kept: the demo world has none."""
    OwnTable(file_name="mine.csv", digest="0" * 64, size=1, licence="CC-BY-4.0", attribution="Ministry", state="read").save()


def actor(world: World, reader: str) -> Actor:
    return actor_of(world.people[reader], world.now) if reader else ANONYMOUS
