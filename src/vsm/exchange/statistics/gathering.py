"""Who began what: one unit for each person, category and year, from the records of those institutions that consent.

A person who begins two courses in a year is counted once, by the first. Drills do not count, nor whoever dropped a course
before it began. What nobody recorded is `not-recorded`, never guessed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, CharField, Exists, F, OuterRef, Subquery, Value, When

from vsm.exchange.allocation.freezing import groups_used, rules_of
from vsm.exchange.allocation.models import Declaration
from vsm.exchange.allocation.policies import groups_asked_by
from vsm.exchange.collaborations.models import Participant
from vsm.exchange.emergencies.models import Switch
from vsm.exchange.placements.models import Placement, PlacementCredit
from vsm.exchange.preparations.models import Participation
from vsm.exchange.programmes.models import AwardRecognition, Study
from vsm.exchange.recognition.models import Decision, Result
from vsm.exchange.sessions.models import Enrolment, Series
from vsm.exchange.statistics.models import PoolingConsent
from vsm.exchange.statistics.rules import UNKNOWN, Unit, offset_of
from vsm.exchange.statistics.states import ConsentState

# What every category's query gives under the same names; what it lacks is not recorded.
COLUMNS = ("person", "home", "when", "zone", "other_zone", "mode", "bandwidth", "credit", "completed", "recognised")
RECOGNISED = ("recognised", "partly", "full", "partial")
WEIGHT = ("text", "audio", "video")


def consenting() -> frozenset[str]:
    """The institutions whose records are pooled."""
    return frozenset(str(pk) for pk in PoolingConsent.objects.filter(state=ConsentState.GIVEN).values_list("organisation_id", flat=True))


def begun(homes: frozenset[str]) -> list[Unit]:
    """Everybody of these institutions who began something, with the facts by which it is broken down."""
    units: dict[tuple[str, str, int], Unit] = {}
    for category, rows in _categories().items():
        for row in sorted(rows(), key=lambda row: str(row["when"])):
            if str(row["home"]) in homes:
                unit = _unit(category, row)
                units.setdefault((category, unit.person, unit.year), unit)
    return list(units.values())


def said(homes: frozenset[str]) -> dict[str, list[Unit]]:
    """Group → those who agreed to be counted in statistics and were asked about it: whether they belong to it, and how far
    they came. By the year in which they applied."""
    kept = Enrolment.objects.exclude(state="dropped").filter(seat__application=OuterRef("application"))
    passed = Result.objects.filter(enrolment__seat__application=OuterRef("application"), state="final", passed=True)
    decided = Decision.objects.filter(enrolment__seat__application=OuterRef("application"), state__in=RECOGNISED)
    found = (
        Declaration.objects.filter(for_statistics=True, application__submitted_at__isnull=False, application__home__in=list(homes))
        .select_related("application__call__organisation", "application__home").prefetch_related("groups")
        .annotate(is_started=Exists(kept), is_completed=Exists(passed), is_recognised=Exists(decided)).order_by("application__submitted_at")
    )  # fmt: skip
    asked: dict[tuple[Any, Any], list[str]] = {}
    units: dict[str, dict[tuple[str, int], Unit]] = {}
    for each in found:
        application = each.application
        key = (application.call_id, application.home_id)
        if key not in asked:
            open_to = groups_asked_by(application.call.organisation, application.home)
            asked[key] = [slug for slug in groups_used(rules_of(application.call)) if slug in open_to]
        belongs = {row.group for row in each.groups.all()}
        reached = {"applied"} | {name for name in ("started", "completed", "recognised") if getattr(each, f"is_{name}")}
        for slug in asked[key]:
            unit = Unit(
                person=str(application.student_id), home=str(application.home_id), year=application.submitted_at.year,
                facts={f"group.{slug}": "yes" if slug in belongs else "no"}, reached=frozenset(reached),
            )  # fmt: skip
            units.setdefault(slug, {}).setdefault((unit.person, unit.year), unit)
    return {slug: list(rows.values()) for slug, rows in units.items()}


def _unit(category: str, row: Mapping[str, Any]) -> Unit:
    when: date = row["when"]
    facts = {
        "category": category, "credit": row["credit"], "mode": row["mode"] or UNKNOWN, "bandwidth": row["bandwidth"] or UNKNOWN,
        "offset": _apart(row["zone"] or "", row["other_zone"] or "", date(when.year, when.month, 1)),
    }  # fmt: skip
    reached = {"started"} | {name for name in ("completed", "recognised") if row[name]}
    return Unit(person=str(row["person"]), home=str(row["home"]), year=when.year, facts=facts, reached=frozenset(reached))


@lru_cache(4096)
def _apart(one: str, other: str, on: date) -> str:
    """The band of the difference of two zones at noon of a day."""
    if not one or not other:
        return UNKNOWN
    noon = datetime(on.year, on.month, on.day, 12, tzinfo=UTC)
    seconds = [(noon.astimezone(ZoneInfo(zone)).utcoffset() or noon - noon).total_seconds() for zone in (one, other)]
    return offset_of((seconds[0] - seconds[1]) / 3600)


def _categories() -> Mapping[str, Callable[[], Iterable[Mapping[str, Any]]]]:
    """Category → its rows, each with COLUMNS."""
    return {"course": _courses, "programme": _programmes, "placement": _placements, "collaboration": _collaborations, "preparation": _preparations, "switch": _switches}


def _rows(found: Any, **columns: Any) -> Iterator[dict[str, Any]]:
    """The rows of a query set under the names of COLUMNS; a text names a path, anything else is an expression or a constant."""
    named = {f"as_{name}": F(value) if isinstance(value, str) else value for name, value in columns.items()}
    for row in found.order_by().annotate(**named).values_list(*named):
        yield dict.fromkeys(COLUMNS) | dict(zip(columns, row, strict=True))


def _credit(**more_than_nothing: Any) -> Case:
    return Case(When(**more_than_nothing, then=Value("with")), default=Value("without"), output_field=CharField())


def _courses() -> Iterable[Mapping[str, Any]]:
    passed = Exists(Result.objects.filter(enrolment=OuterRef("pk"), state="final", passed=True))
    decided = Exists(Decision.objects.filter(enrolment=OuterRef("pk"), state__in=RECOGNISED))
    return _rows(
        Enrolment.objects.exclude(state="dropped"), person="student_id", home="home_id", when="enrolled_at", zone="student__zone", other_zone="offering__zone",
        mode="offering__mode", bandwidth="offering__bandwidth", credit=_credit(offering__opportunity__credits__gt=0), completed=passed, recognised=decided,
    )  # fmt: skip


def _programmes() -> Iterable[Mapping[str, Any]]:
    recognised = Exists(AwardRecognition.objects.filter(conferral__study=OuterRef("pk"), state__in=RECOGNISED))
    for row in _rows(
        Study.objects.all(), person="student_id", home="home_id", host="programme__organisation_id", when="started_on", zone="student__zone", other_zone="admission__intake__zone",
        mode="admission__intake__offering__mode", bandwidth="admission__intake__offering__bandwidth", credit=Value("with"), state="state", recognised=recognised,
    ):  # fmt: skip
        # Who studies a whole programme may have no home here: then the host answers for the record.
        yield row | {"home": row["home"] or row["host"], "completed": row["state"] == "awarded"}


def _placements() -> Iterable[Mapping[str, Any]]:
    credit = Exists(PlacementCredit.objects.filter(placement=OuterRef("pk"), state="recognised"))
    offering = "application__vacancy__offering"
    for row in _rows(
        Placement.objects.filter(started_on__isnull=False), person="student_id", home="home_id", when="started_on", zone="student__zone", other_zone="host__zone",
        mode=f"{offering}__mode", bandwidth=f"{offering}__bandwidth", state="state", recognised=credit,
    ):  # fmt: skip
        yield row | {"credit": "with" if row["recognised"] else "without", "completed": row["state"] == "completed"}


def _collaborations() -> Iterable[Mapping[str, Any]]:
    invitation = "exchange__invitation"
    for row in _rows(
        Participant.objects.all(), person="person_id", first="exchange__first_id", second="exchange__second_id", side="side", when="joined_at", zone="zone",
        first_zone="exchange__first__zone", second_zone="exchange__second__zone", one=f"{invitation}__wish__bandwidth", other=f"{invitation}__partner__bandwidth",
        state="state", recognised_at="recognised_at",
    ):  # fmt: skip
        is_first = row["side"] == "first"
        # Two classes work together at the bandwidth of the weaker one, in meetings and in their own time.
        yield row | {
            "home": row["first"] if is_first else row["second"], "other_zone": row["second_zone"] if is_first else row["first_zone"], "mode": "mixed",
            "bandwidth": min((row["one"], row["other"]), key=lambda tier: WEIGHT.index(tier) if tier in WEIGHT else len(WEIGHT)),
            "credit": "with" if row["recognised_at"] else "without", "completed": row["state"] == "completed", "recognised": bool(row["recognised_at"]),
        }  # fmt: skip


def _preparations() -> Iterable[Mapping[str, Any]]:
    meetings = Subquery(Series.objects.filter(owner_noun="preparation", owner_id=OuterRef("preparation_id")).order_by("created_at").values("bandwidth")[:1])
    for row in _rows(
        Participation.objects.all(), person="student_id", home="mobility__home_id", when="joined_at", zone="student__zone", other_zone="preparation__host__zone",
        bandwidth=meetings, needed="preparation__meetings_needed", state="state",
    ):  # fmt: skip
        yield row | {"mode": "mixed" if row["needed"] else "asynchronous", "credit": "without", "completed": row["state"] == "completed", "recognised": False}


def _switches() -> Iterable[Mapping[str, Any]]:
    """Courses that went on online; who has two is counted once. Home recognises them as it recognises the enrolment."""
    decided = Exists(Decision.objects.filter(enrolment_id=OuterRef("enrolment_id"), state__in=RECOGNISED))
    for row in _rows(
        Switch.objects.exclude(agreement_version=0), person="case__mobility__student_id", home="case__home_id", when="starts_on", zone="case__mobility__student__zone",
        other_zone="case__host__zone", mode="offering__mode", bandwidth="offering__bandwidth", credits="credits", ended="ended", recognised=decided,
    ):  # fmt: skip
        yield row | {"credit": "without" if row["credits"] in {"", "0"} else "with", "completed": row["ended"] is not None}

