"""The demo world's people, as whom a program calls: nobody, a student, offices at home and at hosts, a stranger, the operator."""

from vsm.demo import World
from vsm.exchange.people.queries import actor_of
from vsm.kit.actors import ANONYMOUS, Actor
from vsm.kit.resources import RESOURCES

READERS = ("", "ana", "bia", "rosa", "carlos", "ines", "raul", "dora", "olga")


def actor(world: World, reader: str) -> Actor:
    return actor_of(world.people[reader], world.now) if reader else ANONYMOUS


def reader_of(world: World, noun: str, number: int) -> str:
    """Somebody who sees at least so many of this noun, the ordinary roles first."""
    return next(reader for reader in READERS[1:] if RESOURCES[noun].visible_to(actor(world, reader)).count() >= number)
