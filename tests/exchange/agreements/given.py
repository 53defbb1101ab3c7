"""Two institutions with their offices: Bia in São Paulo, Carlos in Porto, and Dora, who belongs to neither."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

from vsm.exchange.agreements.actions import SeatPromise, draft_agreement, propose, sign
from vsm.exchange.agreements.models import Agreement
from vsm.exchange.agreements.queries import digest_of
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Membership, Person
from vsm.exchange.people.queries import actor_of
from vsm.kit.actors import Actor

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def organisation(schac: str, name: str, zone: str = "America/Sao_Paulo", country: str = "BR", kind: str = "university") -> Organisation:
    found = Organisation(schac=schac, name={"en": name}, zone=zone, country=country, kind=kind)
    found.save()
    return found


def person(name: str, at: Organisation, *roles: str, zone: str = "UTC") -> Person:
    made = Person(email=f"{name.lower().replace(' ', '.')}@{at.schac}", name=name, language="en", zone=zone)
    made.set_unusable_password()
    made.save()
    for role in roles:
        Membership(person=made, organisation=at, role=role, starts_on=date(2026, 1, 1)).save()
    return made


def actor(of: Person) -> Actor:
    return actor_of(of, NOW)


def world() -> SimpleNamespace:
    """`w.bia`, `w.carlos`, `w.dora` are persons; `w.home`, `w.host`, `w.elsewhere` their institutions."""
    home, host, elsewhere = organisation("usp.example.br", "Paulista"), organisation("up.example.pt", "Porto", "Europe/Lisbon", "PT"), organisation("else.example.fr", "Ailleurs", "Europe/Paris", "FR")
    return SimpleNamespace(
        home=home, host=host, elsewhere=elsewhere,
        bia=person("Bia", home, "coordinator"), carlos=person("Carlos", host, "coordinator"), dora=person("Dora", elsewhere, "coordinator"),
    )


def agreement(w: SimpleNamespace, **changes: Any) -> Agreement:
    """A draft by Bia: 5 seats in Porto and 3 in São Paulo, in each term of 2027."""
    facts = {
        "code": "BR-PT-1", "partner": w.host.pk, "starts_on": date(2027, 1, 1), "ends_on": date(2027, 12, 31),
        "promises": [SeatPromise(host=w.host.pk, seats=5), SeatPromise(host=w.home.pk, seats=3)],
        "levels": ["bachelor"], "isced_f": ["06"], "language": "en", "minimum_cefr": "B1",
    }
    return draft_agreement(w.home, by=actor(w.bia), now=NOW, **{**facts, **changes})


def proposed(w: SimpleNamespace, **changes: Any) -> Agreement:
    return propose(agreement(w, **changes), by=actor(w.bia), now=NOW)


def signed(w: SimpleNamespace, **changes: Any) -> Agreement:
    made = proposed(w, **changes)
    sign(made, by=actor(w.bia), now=NOW, digest=digest_of(made))
    return sign(made, by=actor(w.carlos), now=NOW, digest=digest_of(made))
