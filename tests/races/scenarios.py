"""Races between people. Each scenario can be played with the program's own way of writing and with the naive one."""

import random
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.db import transaction

from tests.races.stage import at_once
from vsm.exchange.institutions.actions import edit_organisation
from vsm.exchange.institutions.models import Organisation, Unit
from vsm.exchange.people.actions import change_address, confirm_by_link
from vsm.exchange.people.models import AddressChange, Person
from vsm.exchange.people.queries import actor_of, token_hash
from vsm.kit import audit
from vsm.kit.actions import action
from vsm.kit.actors import ANONYMOUS, SYSTEM, Actor
from vsm.kit.errors import Conflict, Refused
from vsm.kit.models import AuditEvent, IdempotencyKey
from vsm.kit.verdict import Reason

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


@action("take_a_seat", on=Organisation, label="Take a seat", allow=("person",))
def take_a_seat(organisation: Organisation, *, by: Actor, now: datetime, name: str, seats: int, pause: float = 0.0) -> Unit:
    """As any action with a limit: look, think, take. The decorator's lock must make that one step."""
    if organisation.units.count() >= seats:
        raise Refused(Reason("full", "No seat is left."))
    time.sleep(pause)
    unit = Unit(organisation=organisation, code=name, name={"en": name})
    unit.save()
    return unit


def seats(takers: int, seats: int, seed: int, naive: bool) -> dict[str, Any]:
    """Many want few seats. Pauses between looking and taking are drawn from the seed."""
    rng = random.Random(seed)
    place = _organisation()
    pauses = [rng.uniform(0.001, 0.01) for _taker in range(takers)]

    def fairly(number: int) -> Unit:
        return take_a_seat(place, by=SYSTEM, now=NOW, name=f"s{number}", seats=seats, pause=pauses[number])

    def naively(number: int) -> Unit:
        if place.units.count() >= seats:
            raise Refused(Reason("full", "No seat is left."))
        time.sleep(pauses[number])
        return Unit.objects.create(organisation=place, code=f"s{number}", name={"en": "seat"})

    answers = at_once([lambda number=number: (naively if naive else fairly)(number) for number in range(takers)])
    told = Counter("taken" if isinstance(answer, Unit) else type(answer).__name__ for answer in answers)
    return {"sold": place.units.count(), "told": dict(told), "entries": AuditEvent.objects.filter(verb="take_a_seat").count(), "faults": audit.verify()}


def lost_updates(editors: int, edits: int, seed: int, naive: bool) -> dict[str, Any]:
    """Each editor counts the same number up, again and again. What is kept is the number at the end."""
    rng = random.Random(seed)
    place = _organisation(about={"en": "0"})
    pauses = [[rng.uniform(0.0, 0.004) for _edit in range(edits)] for _editor in range(editors)]

    def with_version(pause: float) -> int:
        """Read, think, save what was read; refused when it changed meanwhile, then read again."""
        conflicts = 0
        while True:
            read = Organisation.objects.get(pk=place.pk)
            time.sleep(pause)
            about = {"en": str(int(read.about["en"]) + 1)}
            try:
                edit_organisation(read, by=SYSTEM.delivering(expected=read.version), now=NOW, name=read.name, about=about)
            except Conflict:
                conflicts += 1
                continue
            return conflicts

    def blindly(pause: float) -> int:
        read = Organisation.objects.get(pk=place.pk)
        time.sleep(pause)
        Organisation.objects.filter(pk=place.pk).update(about={"en": str(int(read.about["en"]) + 1)})
        return 0

    write = blindly if naive else with_version
    answers = at_once([lambda own=own: sum(write(pause) for pause in own) for own in pauses])
    failed = [repr(answer) for answer in answers if not isinstance(answer, int)]
    end = Organisation.objects.get(pk=place.pk)
    return {"kept": int(end.about["en"]), "failed": failed, "conflicts": sum(a for a in answers if isinstance(a, int)), "version": end.version, "faults": audit.verify()}


@action("sign_the_book", on=Organisation, label="Sign the book", allow=("person",))
def sign_the_book(organisation: Organisation, *, by: Actor, now: datetime) -> Unit:
    """Every call leaves one more line."""
    unit = Unit(organisation=organisation, code=uuid4().hex[:12], name={"en": "line"})
    unit.save()
    return unit


def same_key(deliveries: int, keyed: bool) -> dict[str, Any]:
    """The same request is delivered many times at once."""
    place = _organisation()
    person = Person.objects.create_user("ana@example.edu", None, name="Ana")
    by = actor_of(person, NOW).delivering(key="request-1" if keyed else "")
    answers = at_once([lambda: sign_the_book(place, by=by, now=NOW)] * deliveries)
    failed = [repr(answer) for answer in answers if not isinstance(answer, Unit)]
    return {"lines": place.units.count(), "answers": len({str(a.pk) for a in answers if isinstance(a, Unit)}), "failed": failed, "keys": IdempotencyKey.objects.count()}


def appends(writers: int, each: int) -> dict[str, Any]:
    """Many append to the one audit chain."""
    place = _organisation()

    def write() -> int:
        for _number in range(each):
            with transaction.atomic():
                audit.append([audit.Entry(NOW, None, "somebody", "test", "signed", "organisation", place.pk)])
        return each

    answers = at_once([write] * writers)
    return {"links": AuditEvent.objects.count(), "failed": [repr(a) for a in answers if not isinstance(a, int)], "faults": audit.verify()}


def one_address(takers: int, naive: bool) -> dict[str, Any]:
    """Many confirm at once that the same address is theirs. The naive way looks whether it is free, then writes past the constraint's answer."""
    people: list[Person] = [Person.objects.create_user(f"p{number}@example.edu", None, name=f"P{number}") for number in range(takers)]
    for number, person in enumerate(people):
        change_address(person, by=actor_of(person, NOW), now=NOW, new_address="shared@example.edu")
        AddressChange.objects.filter(person=person).update(token_hash=token_hash(f"t{number}"))

    def confirm(number: int) -> Person:
        return confirm_by_link(f"t{number}", by=ANONYMOUS, now=NOW)

    def naively(number: int) -> Person:
        if Person.objects.filter(email="shared@example.edu").exists():
            raise Conflict(Reason("address-taken", "Taken."))
        time.sleep(0.05)
        Person.objects.filter(pk=people[number].pk).update(email="shared@example.edu")
        return people[number]

    answers = at_once([lambda number=number: (naively if naive else confirm)(number) for number in range(takers)])
    told = Counter("confirmed" if isinstance(answer, Person) else type(answer).__name__ for answer in answers)
    return {"owners": Person.objects.filter(email="shared@example.edu").count(), "told": dict(told), "waiting": AddressChange.objects.count(), "faults": audit.verify()}


def _organisation(**facts: Any) -> Organisation:
    place = Organisation(name={"en": "University of Lima"}, schac="lima.example", country="PE", zone="America/Lima", **facts)
    place.save()
    return place
