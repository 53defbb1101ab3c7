"""What doors and the actions read: the problem of a call, the result of a run, a student's reasons, the waiting lists."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vsm.exchange.allocation import audit, explain, lottery, waiting
from vsm.exchange.allocation.models import Explanation, Frozen, Policy, Run, Seat, Trial, WaitingPlace
from vsm.exchange.allocation.problem import Choice, Mechanism, Problem, Student
from vsm.exchange.allocation.problem import Offering as Seats
from vsm.exchange.allocation.rules import opaque
from vsm.exchange.allocation.solver import CutOff
from vsm.exchange.allocation.states import HOLDING, RunState, SeatState
from vsm.exchange.applications.models import Application, Call, CallOffering
from vsm.exchange.applications.queries import call_ref, call_title, title_of
from vsm.exchange.applications.states import CallState, State
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.catalogue.states import State as OfferingState
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import organisation_ref
from vsm.kit.actors import Actor
from vsm.kit.i18n import N_
from vsm.kit.resources import Filter, Ref, Resource, Shown, resource, state_filter
from vsm.kit.saying import say_reasons
from vsm.kit.verdict import Reason
from vsm.rulebook import group

MECHANISMS = {
    Mechanism.DEFERRED_ACCEPTANCE.value: _("Priorities, then lottery (deferred acceptance)"),
    Mechanism.SERIAL_DICTATORSHIP.value: _("Lottery alone (serial dictatorship)"),
}
RUN_STATES = {
    RunState.COMPUTING.value: (_("Being computed"), "info"),
    RunState.FAILED.value: (_("No result"), "bad"),
    RunState.PREVIEW.value: (_("Preview"), "info"),
    RunState.SCHEDULED.value: (pgettext_lazy("run", "Will be published"), "warn"),
    RunState.PUBLISHED.value: (pgettext_lazy("run", "Published"), "good"),
    RunState.DISCARDED.value: (_("Discarded"), "neutral"),
}
SEAT_STATES = {
    SeatState.OFFERED.value: (_("Offered"), "warn"),
    SeatState.ACCEPTED.value: (_("Accepted"), "good"),
    SeatState.DECLINED.value: (_("Declined"), "neutral"),
    SeatState.EXPIRED.value: (_("Expired"), "bad"),
    SeatState.RELEASED.value: (_("Given back"), "neutral"),
    SeatState.WITHDRAWN.value: (_("Withdrawn"), "neutral"),
}
PLACE_STATES = {
    "waiting": (_("Waiting"), "info"),
    "offered": (_("Has an offer"), "warn"),
}
# Which of our own quotas stopped a student (see `freezing` for their names), told without a word of technique.
QUOTA_TEXTS = {
    "agreements": N_(
        "%(offering)s, your choice number %(rank)s: the agreements promise students of your institution %(maximum)s seats there, and all of "
        "them are given. Your priority band: %(band)s, your lottery number: %(lottery)s. You are number %(position)s on the waiting list."
    ),
    "balance": N_(
        "%(offering)s, your choice number %(rank)s: students of your institution have the %(maximum)s seats that keep its exchange with the "
        "host in balance. Your priority band: %(band)s, your lottery number: %(lottery)s. You are number %(position)s on the waiting list."
    ),
    "limit": N_(
        "%(offering)s, your choice number %(rank)s: at most %(maximum)s seats may go to students of your institution, and all of them are "
        "given. Your priority band: %(band)s, your lottery number: %(lottery)s. You are number %(position)s on the waiting list."
    ),
}
# The same where other calls had used up everything before this one.
NONE_LEFT_TEXTS = {
    "agreements": N_(
        "%(offering)s, your choice number %(rank)s: no seat was left of those that agreements promise students of your institution there. "
        "Your priority band: %(band)s, your lottery number: %(lottery)s. You are number %(position)s on the waiting list."
    ),
    "balance": N_(
        "%(offering)s, your choice number %(rank)s: students of your institution have had as many seats more than it gives the host as the rules "
        "of the call allow, in other calls. Your priority band: %(band)s, your lottery number: %(lottery)s. You are number %(position)s on the "
        "waiting list."
    ),
    "limit": N_(
        "%(offering)s, your choice number %(rank)s: the rules of the call give students of your institution no seat there. Your priority band: "
        "%(band)s, your lottery number: %(lottery)s. You are number %(position)s on the waiting list."
    ),
}
# A least number of seats that no result can reach, told to the office with names; `bounds.infeasible` tells it of files.
UNMET_OF_GROUP = N_(
    "%(offering)s: at least %(minimum)s seats must go to students of the group “%(group)s”, but %(short)s of them cannot be filled, whoever "
    "gets which seat. Too few students of the group asked for it, or the other bounds and the seats leave no room."
)
UNMET_OF_HOME = N_(
    "%(offering)s: at least %(minimum)s seats must go to students of %(home)s, but %(short)s of them cannot be filled, whoever gets which "
    "seat. Too few of its students asked for it, or the other bounds and the seats leave no room."
)
UNMET_NEXT = N_(
    "Add seats where they are missing, or lower these least numbers to what can be reached, with a reason that everybody reads; then make "
    "another preview."
)
# What offices read where the reason told to the student would show to which groups she belongs.
DISCREET = {
    "placed": explain.PLACED,
    "full": N_("%(offering)s, your choice number %(rank)s, is full. Seats: %(seats)s. You are number %(position)s on the waiting list."),
}
# Facts of a reason that are fractions, which languages write differently; frozen files hold them as text.
DRAWN = ("lottery", "last_lottery")
# Who can still be offered a seat. An application that was withdrawn is passed over from that moment on.
STANDING = (State.PLACED, State.WAITING)


@dataclass(frozen=True)
class Demand:
    """How much is wanted and how much there is, before anything is computed.

    `bands` holds (band, students), `ranked` offering → students who chose it.
    """

    applications: int
    choices: int
    seats_wanted: int
    offerings: int
    seats: int
    bands: tuple[tuple[int, int], ...]
    ranked: Mapping[str, int] = field(default_factory=dict)


def problem_facts(call: Call) -> Demand:
    """What a run of this call has to deal with: nominated applications, or those of the result once it is published."""
    answered = (State.NOMINATED, State.PLACED, State.WAITING, State.UNPLACED)
    found = Application.objects.filter(call=call, nomination__isnull=False, state__in=answered)
    rows = list(found.values_list("choices", "seats_wanted", "nomination__band"))
    seats = list(CallOffering.objects.filter(call=call).values_list("seats", flat=True))
    return Demand(
        applications=len(rows),
        choices=sum(len(choices) for choices, _wanted, _band in rows),
        seats_wanted=sum(min(wanted, len(choices)) for choices, wanted, _band in rows),
        offerings=len(seats),
        seats=sum(seats),
        bands=tuple(sorted(Counter(band for _choices, _wanted, band in rows).items())),
        ranked=Counter(str(choice) for choices, _wanted, _band in rows for choice in choices),
    )


def audit_run(run: Run, found: audit.Audit | None = None) -> audit.Audit:
    """Check a run from its frozen bytes (or from what their audit `found`), their digests and the commitment, without the program
    that made it."""
    found = found or audit.check(bytes(run.frozen.problem), bytes(run.frozen.outcome))
    further = []
    if (found.problem, found.outcome) != (run.problem_digest, run.outcome_digest):
        further.append(Reason("digest-differs", N_("The stored files are not those whose digests were noted when the run was made.")))
    if not lottery.reveals(found.seed, run.call.seed_commitment):
        further.append(Reason("seed-not-the-sealed-one", N_("The seed of this run is not the one that was sealed for the call.")))
    return replace(found, violations=(*found.violations, *further))


def published_run(call: Call) -> Run | None:
    """The run whose result the call's applicants got."""
    found: Run | None = Run.objects.filter(call=call, state=RunState.PUBLISHED).select_related("call").first()
    return found


@dataclass(frozen=True)
class Answer:
    """What became of one choice: the reason at the time of the run, and how it stands now."""

    rank: int
    offering: Offering
    reason: Reason
    seat: Seat | None
    waiting_number: int | None


def answers_for(application: Application, *, discreet: bool = False) -> list[Answer]:
    """A reason for each choice of a published result, in the order of the student's list; empty before.

    Told to anybody but the student, a reason must not show to which groups she belongs: then ask for the `discreet` ones.
    """
    told = Explanation.objects.filter(application=application, run__state=RunState.PUBLISHED).select_related("run").first()
    if told is None:
        return []
    stored = _stored(told)
    ids = [pk for _code, facts in stored for pk in (facts["offering"], *_listed(facts.get("clashes", "")))]
    offerings = {str(o.pk): o for o in Offering.objects.filter(pk__in=ids).select_related("opportunity__organisation")}
    seats = {str(s.offering_id): s for s in Seat.objects.filter(application=application).order_by("offered_at", "created_at")}
    waits = waiting_numbers(application)
    return [
        Answer(facts["rank"], offerings[facts["offering"]], _reason(code, facts, offerings, discreet=discreet), seats.get(facts["offering"]), waits.get(facts["offering"]))
        for code, facts in stored
    ]  # fmt: skip


def _stored(told: Explanation) -> list[tuple[str, dict[str, Any]]]:
    """The reasons as codes and facts (see `Explanation` for how they are kept)."""
    if isinstance(told.reasons, list):
        return [(code, facts) for code, facts in told.reasons]
    choices = told.reasons["choices"]
    cut_offs = {each.number: each for each in told.run.cut_offs.filter(number__in=[number for _rank, number, _band, _place in choices])}
    drawn = lottery.number(told.run.seed, opaque(told.application_id))
    reasons = []
    for rank, number, band, place in choices:
        here = cut_offs[number]
        last = None if here.lottery is None else CutOff(here.band, here.lottery)
        choice = Choice(rank, str(here.offering_id), band)
        reasons.append(explain.by_cut_off(choice, place, wanted=told.reasons["wanted"], seats=here.seats, last=last, number=drawn))
    return [(reason.code, dict(reason.params)) for reason in reasons]


def waiting_numbers(application: Application) -> dict[str, int]:
    """Offering → which number in line the student is now."""
    places = WaitingPlace.objects.filter(application=application, run__call__state=CallState.ALLOCATED)
    return {
        str(place.offering_id): 1 + line_of(place.run_id, place.offering_id).filter(position__lt=place.position).count()
        for place in places
    }


def line_of(run_id: UUID, offering_id: UUID) -> QuerySet[WaitingPlace]:
    """Who still waits for a seat in an offering, first in line first."""
    places = WaitingPlace.objects.filter(run_id=run_id, offering_id=offering_id, application__state__in=STANDING)
    return places.order_by("position")


def vacancies(run: Run, offerings: Iterable[UUID], *, now: datetime, besides: UUID | None = None) -> dict[str, int]:
    """Offering → seats that can be offered now. `besides` is a seat that is just being freed.

    None when the call is closed, or in an offering that is withdrawn or lets nobody in any more: a seat can be dropped
    without trace until `drop_by`, and until the same day somebody else can take it.
    """
    rows = CallOffering.objects.filter(call=run.call_id, offering__in=offerings, call__state=CallState.ALLOCATED)
    given = list(rows.select_related("offering"))
    held = Counter(
        Seat.objects.holding().filter(run=run, offering__in=offerings).exclude(pk=besides).values_list("offering_id", flat=True)
    )  # fmt: skip
    return {
        str(row.offering_id): max(0, row.seats - held[row.offering_id]) for row in given if _takes_newcomers(row.offering, now)
    }


@dataclass(frozen=True)
class Queue:
    """What `waiting.refill` needs of a published run, for some offerings. `applications` is name in the problem → application."""

    problem: Problem
    lines: Mapping[str, Sequence[str]]
    held: Mapping[str, Sequence[str]]
    applications: Mapping[str, UUID]

    def people(self, names: Iterable[str]) -> dict[str, Application]:
        """The applications behind these names."""
        by_id = {self.applications[name]: name for name in names}
        return {by_id[a.pk]: a for a in Application.objects.filter(pk__in=by_id).select_related("student")}


def queue_of(run: Run, offerings: Iterable[str], *, besides: UUID | None = None) -> Queue:
    """The lines of these offerings, in the order that the run froze, and what those in line hold.

    The ranks stand on places and seats since the run, so the frozen problem (slow to read for one answer) is not
    needed; it would say the same.
    """
    if run.counts.get("has_policies"):
        return _queue_by_policies(run, offerings, besides)
    lines: dict[str, list[str]] = {}
    ranks: dict[str, dict[str, int]] = {}
    wanted: dict[str, int] = {}
    for offering in offerings:
        places = line_of(run.pk, UUID(offering)).values_list("application_id", "rank", "application__seats_wanted")
        lines[offering] = [str(application) for application, _rank, _wanted in places]
        for application, rank, seats in places:
            ranks.setdefault(str(application), {})[offering] = rank
            wanted[str(application)] = seats
    held: dict[str, list[str]] = {}
    in_line = Seat.objects.holding().filter(run=run, application__waiting__offering__in=list(lines), application__state__in=STANDING)
    theirs = in_line.exclude(pk=besides).values_list("application_id", "offering_id", "rank").distinct().order_by()
    for application, offering, rank in theirs:
        held.setdefault(str(application), []).append(str(offering))
        ranks[str(application)][str(offering)] = rank
    return Queue(_small_problem(run, lines, ranks, wanted), lines, held, {name: UUID(name) for name in wanted})


def _queue_by_policies(run: Run, offerings: Iterable[str], besides: UUID | None) -> Queue:
    """With reserves or limits everybody's seats count, by the groups and institutions that the run froze."""
    problem = frozen_problem(run.pk)
    known = {offering.id for offering in problem.offerings}  # nobody waits for what joined the call later
    waiting_here = {offering: list(line_of(run.pk, UUID(offering)).values_list("application_id", flat=True)) for offering in offerings if offering in known}
    lines = {offering: [opaque(pk) for pk in line] for offering, line in waiting_here.items()}
    held: dict[str, list[str]] = {}
    for application, offering in Seat.objects.holding().filter(run=run).exclude(pk=besides).values_list("application_id", "offering_id"):
        held.setdefault(opaque(application), []).append(str(offering))
    return Queue(problem, lines, held, {opaque(pk): pk for line in waiting_here.values() for pk in line})


@lru_cache(maxsize=4)
def frozen_problem(run_id: UUID) -> Problem:
    """The problem of a run, read once a process: its bytes never change."""
    return Problem.from_bytes(bytes(Frozen.objects.get(run_id=run_id).problem))


def given_back(run: Run, taken: Seat) -> list[Seat]:
    """What the student gives back if she takes this seat now.

    Accepted seats beyond the number she asked for, lowest ranked first. An offer not answered yet counts for nothing
    until she takes it (else accepting a seat could cost it in favour of a better one that she then declines); but it
    goes on to the next if she would not keep it beside what she has accepted by now.
    """
    problem, seats = _holding(run, taken.application)
    student, this = str(taken.application_id), str(taken.offering_id)
    others = {str(seat.offering_id): seat for seat in seats if seat.pk != taken.pk}
    accepted = {offering for offering, seat in others.items() if seat.state == SeatState.ACCEPTED}
    given = {*waiting.released(problem, student, accepted, this)} - {this}
    kept = {*accepted, this} - given
    pointless = {o for o in others.keys() - accepted if o in waiting.released(problem, student, kept, o)}
    return [others[offering] for offering in sorted(given | pointless)]


def _holding(run: Run, application: Application) -> tuple[Problem, list[Seat]]:
    """The seats that a student holds, with the problem (hers alone) by which they compare."""
    seats = list(Seat.objects.holding().filter(run=run, application=application))
    if run.counts.get("has_policies"):
        return _as_hers(frozen_problem(run.pk), application), seats
    ranks = {str(application.pk): {str(seat.offering_id): seat.rank for seat in seats}}
    return _small_problem(run, (), ranks, {str(application.pk): application.seats_wanted}), seats


def _as_hers(problem: Problem, application: Application) -> Problem:
    """The frozen offerings with her wishes alone, under the id of her application."""
    student = replace(problem.student(opaque(application.pk)), id=str(application.pk))
    return problem.but(students=[student], quotas=[])


def _small_problem(
    run: Run, offerings: Iterable[str], ranks: Mapping[str, Mapping[str, int]], wanted: Mapping[str, int]
) -> Problem:
    # The band is 0: who goes first is told by the lines, and only a student's own ranks are asked here.
    return Problem.of(
        offerings=[Seats(offering, 0) for offering in {*offerings, *(each for mine in ranks.values() for each in mine)}],
        students=[
            Student(name, wanted[name], tuple(Choice(rank, offering, 0) for offering, rank in mine.items()))
            for name, mine in ranks.items()
        ],
        seed=run.seed,
    )


def _takes_newcomers(offering: Offering, now: datetime) -> bool:
    last_day = offering.drop_by or offering.starts_on
    return offering.state == OfferingState.PUBLISHED and now.astimezone(ZoneInfo(offering.zone)).date() <= last_day


def _reason(code: str, facts: Mapping[str, Any], offerings: Mapping[str, Offering], *, discreet: bool = False) -> Reason:
    """Codes and facts as a sentence's text and values: ids become titles, groups their names, lottery numbers numbers."""
    named = {**facts, "offering": offerings[facts["offering"]].opportunity.title}
    named |= {name: Decimal(facts[name]) for name in DRAWN if name in facts}
    if "clashes" in facts:
        named["clashes"] = [offerings[pk].opportunity.title for pk in _listed(facts["clashes"])]
    if "group" in facts:
        named["group"] = group(facts["group"]).name
    if discreet and code.startswith(("reserved-", "group-", "pledged")):
        kind = "placed" if code == "pledged" else "full"
        return Reason(kind, DISCREET[kind], {name: named.get(name, "") for name in ("offering", "rank", "seats", "position")})
    if code == "quota-full":
        texts = QUOTA_TEXTS if facts["maximum"] else NONE_LEFT_TEXTS
        return Reason(code, texts[facts["quota"].partition(":")[0]], named)
    return Reason(code, explain.TEXTS[code], named)


def _listed(text: str) -> list[str]:
    return text.split(", ") if text else []


def failures_of(record: Run | Trial) -> list[Reason]:
    """Why a run or a trial has no result, with names for ids (three queries, however many there are), and what the office can do."""
    told = [Reason(plain["code"], plain["text"], dict(plain["params"])) for plain in record.error]
    rules = Policy.objects.filter(call=record.call_id).first() if record.call_id else None
    if rules is None or all(reason.code != "minimum-infeasible" for reason in told):
        return told
    of_homes = [row for row in rules.limits if row["home"]]
    offerings = {str(reason.params.get("offering", "")) for reason in told} | {row["offering"] for row in of_homes}
    titles = {str(pk): title for pk, title in Offering.objects.filter(pk__in=offerings - {""}).values_list("pk", "opportunity__title")}
    homes = {str(pk): name for pk, name in Organisation.objects.filter(pk__in=[row["home"] for row in of_homes]).values_list("pk", "name")}
    named = [_unmet(reason, of_homes, {"": N_("Every course together")} | titles, homes) if reason.code == "minimum-infeasible" else reason for reason in told]
    return named + ([Reason("unmet-next", UNMET_NEXT)] if isinstance(record, Run) else [])


def _unmet(reason: Reason, of_homes: Sequence[Mapping[str, Any]], titles: Mapping[str, Any], homes: Mapping[str, Any]) -> Reason:
    facts = dict(reason.params)
    if facts["offering"]:
        return Reason(reason.code, UNMET_OF_GROUP, {**facts, "offering": titles[str(facts["offering"])], "group": group(str(facts["group"])).name})
    # The nth line that names an institution: see `freezing`.
    row = of_homes[int(str(facts["quota"]).partition(":")[2]) - 1]
    return Reason(reason.code, UNMET_OF_HOME, {**facts, "offering": titles[row["offering"]], "home": homes[row["home"]]})


def offering_ref(offering: Any) -> Ref:
    return Ref("offering", offering.pk, title_of(offering))


def lottery_shown(number: int) -> Decimal:
    """A lottery number as a fraction of six digits, cut and not rounded."""
    return Decimal(f"0.{number * 10**6 // lottery.SCALE:06d}")


def late_seat_choices(call: Call, _actor: Actor) -> list[tuple[str, str]]:
    """The offerings of a call, each with the seats given so far."""
    rows = call.call_offerings.select_related("offering__opportunity")
    return sorted(((str(row.offering_id), f"{title_of(row.offering)} · {row.seats}") for row in rows), key=lambda pair: pair[1])


def _pick(column: str) -> Any:
    def narrow(found: Any, value: str) -> Any:
        try:
            return found.filter(**{column: UUID(value)})
        except ValueError:
            return found.none()

    return narrow


def _call_choices(model: Any, path: str) -> Any:
    def choices(actor: Actor) -> list[tuple[str, str]]:
        ids = model.objects.visible_to(actor).values_list(path, flat=True).distinct().order_by()
        return [(str(call.pk), call_title(call)) for call in Call.objects.filter(pk__in=ids)]

    return choices


def _offering_choices(model: Any) -> Any:
    def choices(actor: Actor) -> list[tuple[str, str]]:
        ids = model.objects.visible_to(actor).values_list("offering_id", flat=True).distinct().order_by()
        found = Offering.objects.filter(pk__in=ids).select_related("opportunity")
        return sorted(((str(o.pk), f"{title_of(o)} · {o.code}") for o in found), key=lambda pair: pair[1])

    return choices


def _home_choices(model: Any) -> Any:
    def choices(actor: Actor) -> list[tuple[str, str]]:
        homes = {a.home_id: a.home for a in Application.objects.filter(pk__in=model.objects.visible_to(actor).values("application_id")).select_related("home")}
        return sorted(((str(pk), organisation_ref(home).title) for pk, home in homes.items()), key=lambda pair: pair[1])

    return choices


def _holds(place: Any) -> str:
    held = sorted(seat.rank for seat in place.application.seats.all() if seat.state in HOLDING)
    return ", ".join(map(str, held))


def _place_state(place: Any) -> str:
    """As `WaitingPlaces` narrows, from the seats that a list has fetched already."""
    is_offered = any(seat.offering_id == place.offering_id and seat.state == SeatState.OFFERED for seat in place.application.seats.all())
    return "offered" if is_offered else "waiting"


RUN = resource(
    Resource(
        "run", "runs", Run, _("Allocation run"), _("Allocation runs"), lambda run: f"{call_title(run.call)} · {run.number}",
        fields=(
            Shown("call", _("Call"), lambda r: call_ref(r.call), "ref", listed=True, sort="call__code"),
            Shown("number", _("Number"), lambda r: r.number, "integer", listed=True, sort="number"),
            Shown("mechanism", _("Rules"), lambda r: r.mechanism, listed=True, sort="mechanism", words=MECHANISMS),
            Shown("state", _("State"), lambda r: r.state, "state", listed=True, sort="state"),
            Shown("placed", _("Students with a seat"), lambda r: r.counts.get("placed"), "integer", listed=True),
            Shown("unplaced", _("Students without"), lambda r: r.counts.get("unplaced"), "integer", listed=True),
            Shown("seats_left", _("Seats left"), lambda r: r.counts.get("seats_left"), "integer", listed=True),
            Shown("made_at", _("Made"), lambda r: r.created_at, "moment", sort="created_at"),
            Shown("publish_at", _("Will be published"), lambda r: r.publish_at, "moment"),
            Shown("published_at", _("Published"), lambda r: r.published_at, "moment", sort="published_at"),
            Shown("because", _("Why this result"), lambda r: r.because, "long_text"),
            Shown("progress", _("Stages computed"), lambda r: r.progress, "integer", detail=False),
            Shown("problem_digest", _("Fingerprint of the frozen problem"), lambda r: r.problem_digest, "digest"),
            Shown("outcome_digest", _("Fingerprint of the outcome"), lambda r: r.outcome_digest, "digest"),
            Shown("seed", _("Seed of the lottery"), lambda r: r.seed, "digest"),
            Shown("rulebook", _("Rulebook"), lambda r: r.rulebook, "digest"),
            Shown("counts", _("Counts"), lambda r: r.counts, "json", detail=False),
            Shown("failures", _("There is no result"), lambda r: say_reasons(failures_of(r)) if r.error else [], "list", detail=False, alone=True),
        ),
        filters=(
            state_filter(RUN_STATES),
            Filter("call", _("Call"), _pick("call_id"), choices=_call_choices(Run, "call_id")),
            Filter(
                "mechanism", _("Rules"), lambda found, value: found.filter(mechanism=value),
                choices=lambda _actor: [(value, str(label)) for value, label in MECHANISMS.items()],
            ),
        ),
        related=("call__organisation",), states=RUN_STATES, starts=(("call", "allocate"),),
        empty=_("No run yet. When nominations are over, the office of the call makes a preview."),
    )
)  # fmt: skip

SEAT = resource(
    Resource(
        "seat", "seats", Seat, _("Seat"), _("Seats"), lambda seat: f"{title_of(seat.offering)} · {seat.application.student.name}",
        fields=(
            Shown("student", _("Student"), lambda s: s.application.student.name, listed=True, sort="application__student__folded"),
            Shown("offering", _("Course"), lambda s: offering_ref(s.offering), "ref", listed=True, sort="offering__opportunity__code"),
            Shown("state", _("State"), lambda s: s.state, "state", listed=True, sort="state"),
            Shown("respond_by", _("Answer by"), lambda s: s.respond_by, "moment", listed=True, sort="respond_by"),
            Shown("rank", _("Choice number"), lambda s: s.rank, "integer", listed=True, sort="rank"),
            Shown("home", _("Home institution"), lambda s: organisation_ref(s.application.home), "ref", listed=True, sort="application__home__schac"),
            Shown("host", _("Host institution"), lambda s: organisation_ref(s.offering.opportunity.organisation), "ref"),
            Shown("call", _("Call"), lambda s: call_ref(s.application.call), "ref"),
            Shown("application", _("Application"), lambda s: Ref("application", s.application_id, s.application.student.name), "ref"),
            Shown("from_waiting_list", _("From the waiting list"), lambda s: s.from_waiting_list, "bool"),
            Shown("offered_at", _("Offered"), lambda s: s.offered_at, "moment", sort="offered_at"),
            Shown("answered_at", _("Answered"), lambda s: s.answered_at, "moment", sort="answered_at"),
        ),
        filters=(
            state_filter(SEAT_STATES),
            Filter("call", _("Call"), _pick("application__call_id"), choices=_call_choices(Seat, "application__call_id")),
            Filter("offering", _("Course"), _pick("offering_id"), choices=_offering_choices(Seat)),
            Filter("home", _("Home institution"), _pick("application__home_id"), choices=_home_choices(Seat)),
            Filter(
                "waiting", _("From the waiting list"), lambda found, value: found.filter(from_waiting_list=value == "yes"),
                choices=lambda _actor: [("yes", str(_("Yes"))), ("no", str(_("No")))],
            ),
        ),
        order="-offered_at", states=SEAT_STATES,
        related=("application__student", "application__home", "application__call__organisation", "offering__opportunity__organisation"),
        empty=_("No seats yet. They are offered when the result of a call is published."),
    )
)  # fmt: skip

WAITING_PLACE = resource(
    Resource(
        "waiting_place", "waiting-places", WaitingPlace, _("Place on a waiting list"), _("Waiting lists"),
        lambda place: f"{title_of(place.offering)} · {place.application.student.name}",
        fields=(
            Shown("offering", _("Course"), lambda p: offering_ref(p.offering), "ref", listed=True, sort="offering__opportunity__code"),
            Shown("position", _("Place in the run"), lambda p: p.position, "integer", listed=True, sort="position"),
            Shown("student", _("Student"), lambda p: p.application.student.name, listed=True, sort="application__student__folded"),
            Shown("home", _("Home institution"), lambda p: organisation_ref(p.application.home), "ref", listed=True, sort="application__home__schac"),
            Shown("band", _("Priority band"), lambda p: p.band, "integer", listed=True, sort="band"),
            Shown("lottery", _("Lottery number"), lambda p: lottery_shown(p.lottery), "number", listed=True, sort="lottery"),
            Shown("rank", _("Choice number"), lambda p: p.rank, "integer", listed=True, sort="rank"),
            Shown("holds", _("Holds choices"), _holds, listed=True),
            Shown("state", _("State"), _place_state, "state", listed=True),
            Shown("application", _("Application"), lambda p: Ref("application", p.application_id, p.application.student.name), "ref"),
            Shown("call", _("Call"), lambda p: call_ref(p.application.call), "ref"),
        ),
        filters=(
            Filter(
                "state", _("State"), lambda found, value: getattr(found, value)() if value in PLACE_STATES else found.none(),
                choices=lambda _actor: [(value, str(label)) for value, (label, _tone) in PLACE_STATES.items()],
            ),
            Filter("offering", _("Course"), _pick("offering_id"), choices=_offering_choices(WaitingPlace)),
            Filter("call", _("Call"), _pick("run__call_id"), choices=_call_choices(WaitingPlace, "run__call_id")),
            Filter("home", _("Home institution"), _pick("application__home_id"), choices=_home_choices(WaitingPlace)),
        ),
        order="position", searched=("application__folded", "offering__folded"),
        related=("application__student", "application__home", "application__call__organisation", "offering__opportunity__organisation"),
        prefetch=("application__seats",), states=PLACE_STATES,
        empty=_("Nobody waits."),
    )
)  # fmt: skip
