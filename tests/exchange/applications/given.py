"""A call in Porto, and students of São Paulo and elsewhere who apply in it.

Ana studies in São Paulo, where Bia coordinates; Carlos coordinates in Porto; Dora coordinates at a third institution.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from tests.exchange.agreements import given as agreements
from tests.exchange.agreements.given import person
from vsm.exchange.agreements.actions import SeatPromise
from vsm.exchange.applications.actions import (
    OfferingSeats,
    apply,
    attach,
    choose_offerings,
    nominate,
    open_call,
    publish,
    rank,
    submit,
)
from vsm.exchange.applications.models import Application, Call
from vsm.exchange.catalogue.models import Meeting, Offering, Opportunity
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person, StudentRecord
from vsm.exchange.people.queries import actor_of
from vsm.kit.actors import Actor
from vsm.kit.uploads import Upload

NOW = agreements.NOW
OPENS, CLOSES, NOMINATE_BY = NOW + timedelta(days=7), NOW + timedelta(days=28), NOW + timedelta(days=35)
OPEN = OPENS + timedelta(days=1)
STARTS = date(2027, 3, 1)
PDF = b"%PDF-1.7\n"


def actor(of: Person) -> Actor:
    return actor_of(of, NOW)


def offering(host: Organisation, code: str, title: str, *, seats: int = 10, state: str = "published", starts_on: date = STARTS, **facts: Any) -> Offering:
    course = Opportunity(
        organisation=host, code=code, title={"en": title}, state="published",
        **{"isced_f": "0613", "level": "bachelor", "credits": Decimal(6), "language": "en", "cefr": "B1", **facts},
    )  # fmt: skip
    course.save()
    made = Offering(opportunity=course, code="A", starts_on=starts_on, ends_on=starts_on + timedelta(weeks=15), zone=host.zone, seats=seats, state=state)
    made.save()
    Meeting(offering=made, weekday=0, starts="14:00", ends="15:30").save()
    return made


def student(home: Organisation, name: str = "Ana", zone: str = "America/Lima", **facts: Any) -> Person:
    made = person(name, home, "student", zone=zone)
    StudentRecord(
        person=made, home=home, student_number=f"n-{name}",
        **{"programme": "Informatics", "level": "bachelor", "credits_earned": Decimal(60), "credits_total": Decimal(200), "languages": {"en": "B2"}, **facts},
    ).save()
    return made


def world() -> SimpleNamespace:
    """The institutions with a signed agreement, two courses in Porto (`w.algebra`, `w.biology`) and Ana."""
    w = agreements.world()
    w.agreement = agreements.signed(w, promises=[SeatPromise(host=w.host.pk, seats=5), SeatPromise(host=w.home.pk, seats=3)], isced_f=[], minimum_cefr="", language="")
    w.algebra, w.biology = offering(w.host, "ALG", "Algebra"), offering(w.host, "BIO", "Biology")
    w.ana = student(w.home)
    return w


def drafted(w: SimpleNamespace, **changes: Any) -> Call:
    facts = {
        "code": "C-1", "title": {"en": "Courses online"}, "zone": "Europe/Lisbon", "opens_at": OPENS, "closes_at": CLOSES, "nominate_by": NOMINATE_BY,
    }
    return open_call(w.host, by=actor(w.carlos), now=NOW, **{**facts, **changes})


def published(w: SimpleNamespace, seats: dict[Any, int] | None = None, **changes: Any) -> Call:
    made = drafted(w, **changes)
    rows = seats if seats is not None else {w.algebra: 2, w.biology: 3}
    choose_offerings(made, by=actor(w.carlos), now=NOW, rows=[OfferingSeats(offering=o.pk, seats=number) for o, number in rows.items()])
    return publish(made, by=actor(w.carlos), now=NOW)


def begun(w: SimpleNamespace, call: Call, who: Person | None = None) -> Application:
    return apply(call, by=actor(who or w.ana), now=OPEN)


def ranked(w: SimpleNamespace, call: Call, who: Person | None = None, **changes: Any) -> Application:
    facts = {"choices": [w.algebra.pk, w.biology.pk], "seats_wanted": 1}
    return rank(begun(w, call, who), by=actor(who or w.ana), now=OPEN, **{**facts, **changes})


def submitted(w: SimpleNamespace, call: Call, who: Person | None = None, at: datetime = OPEN, **changes: Any) -> Application:
    return submit(ranked(w, call, who, **changes), by=actor(who or w.ana), now=at)


def nominated(w: SimpleNamespace, call: Call, who: Person | None = None, band: int = 1) -> Application:
    return nominate(submitted(w, call, who), by=actor(w.bia), now=CLOSES, band=band)


def attached(w: SimpleNamespace, application: Application, kind: str = "transcript", name: str = "record.pdf", data: bytes = PDF) -> Application:
    return attach(application, by=actor(w.ana), now=OPEN, kind=kind, file=Upload.of(name, "application/pdf", data))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type] -- year, month, day and so on
