"""The rules of a call, fixed before applications close; and what a student says of herself, used as far as she agrees."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from vsm.exchange.agreements.models import Agreement
from vsm.exchange.allocation.actions import discard
from vsm.exchange.allocation.freezing import by_id, groups_used, rules_of
from vsm.exchange.allocation.models import Declaration, DeclaredGroup, GroupsAsked, Policy, Run
from vsm.exchange.allocation.policy import (
    CLASH_EFFECTS,
    LOTTERY_EFFECTS,
    MECHANISM_EFFECTS,
    RECIPROCITY_EFFECTS,
    Bound,
    Effect,
    is_changed,
    lowered,
    rules_obstacles,
    rules_problems,
    suppressed,
)
from vsm.exchange.allocation.states import CALL_STEPS, RunState
from vsm.exchange.applications.models import Application, Call
from vsm.exchange.applications.queries import call_ref, call_title, offerings_of, title_of
from vsm.exchange.applications.states import CallState, State
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of
from vsm.exchange.institutions.rules import teaches
from vsm.kit import clock
from vsm.kit.actions import Ask, action, silence
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.i18n import N_
from vsm.kit.localized import text_in
from vsm.kit.resources import Ref, Resource, Shown, resource
from vsm.kit.saying import labelled, say
from vsm.kit.verdict import Reason
from vsm.rulebook import group, groups

OFFICE = ("coordinator@organisation",)


# The groups that are asked about ---------------------------------------------------------------------------------------


def groups_asked_by(*organisations: Organisation) -> list[str]:
    """The rulebook's groups that all these institutions ask about; who has chosen none asks about all."""
    narrowed = GroupsAsked.objects.filter(organisation__in=organisations).values_list("groups", flat=True)
    allowed = [set(each) for each in narrowed]
    return [each.slug for each in groups() if all(each.slug in some for some in allowed)]


def group_name(slug: str) -> str:
    return text_in(group(slug).name, get_language() or "en")


def _every_group(_record: Any, _actor: Any) -> list[tuple[str, str]]:
    return [(each.slug, labelled(group_name(each.slug), text_in(each.definition, get_language() or "en"))) for each in groups()]


@action("choose_groups", on=Organisation, label=_("Choose the groups asked about"), allow=("coordinator@id",), when=teaches)
def choose_groups(
    organisation: Organisation, *, by: Actor, now: datetime,
    groups: Annotated[
        list[str],
        Ask(
            _("Groups"), _("Students of your institution are asked about these alone, and your calls can reserve seats for these alone. Ask about no more than you use."),
            choices=_every_group, start=lambda organisation, _actor: groups_asked_by(organisation),
        ),
    ],
) -> Organisation:  # fmt: skip
    """Narrow the rulebook's list of groups to those that this institution uses. What students said before stays theirs."""
    unknown = sorted(set(groups) - {slug for slug, _label in _every_group(None, None)})
    if unknown:
        raise Invalid(Reason("group-unknown", N_("“%(group)s” is not a group of the rulebook."), {"group": ", ".join(unknown)}, "groups"))
    GroupsAsked.objects.update_or_create(organisation=organisation, defaults={"groups": sorted(set(groups))})
    return organisation


# The rules of a call --------------------------------------------------------------------------------------------------


def _offering_choices(call: Call, _actor: Actor) -> list[tuple[str, str]]:
    return [("", say(N_("every course"))), *((str(row.offering_id), f"{title_of(row.offering)} · {row.seats}") for row in offerings_of(call))]


def _group_choices(call: Call, _actor: Actor) -> list[tuple[str, str]]:
    return [(slug, group_name(slug)) for slug in groups_asked_by(call.organisation)]


def _home_choices(call: Call, _actor: Actor) -> list[tuple[str, str]]:
    return sorted(((str(pk), name_of(home)) for pk, home in partners_of(call).items()), key=lambda pair: pair[1])


def partners_of(call: Call) -> dict[UUID, Organisation]:
    """Institutions that have a signed agreement with a host of this call."""
    hosts = {row.offering.opportunity.organisation_id for row in offerings_of(call)} | {call.organisation_id}
    signed = Agreement.objects.filter(state="signed").values_list("first_id", "second_id")
    ids = {other for pair in signed for one, other in (pair, pair[::-1]) if one in hosts}
    return {o.pk: o for o in Organisation.objects.filter(pk__in=ids)}


class ReserveRow(BaseModel):
    """Seats that go first to members of a group."""

    offering: Annotated[str, Ask(_("Course"), choices=_offering_choices)] = ""
    group: Annotated[str, Ask(_("Group"), choices=_group_choices)]
    seats: Annotated[int, Field(ge=0, le=10_000), Ask(_("Seats"))]


class LimitRow(BaseModel):
    """A least or most number of seats for a group or an institution."""

    offering: Annotated[str, Ask(_("Course"), choices=_offering_choices)] = ""
    group: Annotated[str, Ask(_("Group"), choices=lambda call, actor: [("", "—"), *_group_choices(call, actor)])] = ""
    home: Annotated[str, Ask(_("Institution"), choices=lambda call, actor: [("", "—"), *_home_choices(call, actor)])] = ""
    least: Annotated[int | None, Field(ge=0, le=10_000), Ask(_("At least"))] = None
    most: Annotated[int | None, Field(ge=0, le=10_000), Ask(_("At most"))] = None


def one_of(effects: Sequence[Effect]) -> Any:
    """What a form offers: one of these, in the reader’s language."""
    return lambda _call, _actor: [(effect.value, say(effect.label)) for effect in effects]


def _start(name: str) -> Any:
    return lambda call, _actor: getattr(rules_of(call), name)


def _can_change(call: Call) -> bool:
    return not list(rules_obstacles(state=call.state, closes_at=call.closes_at, now=clock.now()))


@action("set_rules", on=Call, label=_("Set the rules for giving seats"), allow=OFFICE, step=CALL_STEPS["set_rules"], when=_can_change)
def set_rules(
    call: Call, *, by: Actor, now: datetime,
    mechanism: Annotated[Literal["", "deferred_acceptance", "serial_dictatorship"], Ask(_("Rules"), choices=one_of(MECHANISM_EFFECTS), start=_start("mechanism"))] = "",
    lottery: Annotated[Literal["single", "per_offering"], Ask(_("Lottery"), choices=one_of(LOTTERY_EFFECTS), start=_start("lottery"))] = "single",
    reserves: Annotated[list[ReserveRow], Ask(
        _("Reserved seats"), _("So many seats go first to students of the group; what they leave over goes to everybody."),
        start=lambda call, _actor: [ReserveRow(**row) for row in rules_of(call).reserves],
    )] = [],  # noqa: B006 -- never changed; pydantic copies it
    limits: Annotated[list[LimitRow], Ask(
        _("Least and most seats"), _("Only where an agreement demands it: a bound that holds can leave seats empty."),
        start=lambda call, _actor: [LimitRow(**row) for row in rules_of(call).limits],
    )] = [],  # noqa: B006 -- never changed; pydantic copies it
    use_agreements: Annotated[bool, Ask(_("Keep the seats promised in agreements"), start=_start("use_agreements"))] = False,
    reciprocity: Annotated[Literal["", "soft", "hard"], Ask(_("Balance with each partner"), choices=one_of(RECIPROCITY_EFFECTS), start=_start("reciprocity"))] = "",
    balance: Annotated[int, Ask(_("How many more seats than it gives a partner may take"), start=_start("balance"))] = 0,
    clashes: Annotated[Literal["allow", "fast", "exact"], Ask(_("Clashing timetables"), choices=one_of(CLASH_EFFECTS), start=_start("clashes"))] = "allow",
    credits_least: Annotated[Decimal | None, Ask(_("Least credits for one student"), start=_start("credits_least"))] = None,
    credits_most: Annotated[Decimal | None, Ask(_("Most credits for one student"), start=_start("credits_most"))] = None,
    appeal_days: Annotated[int, Ask(_("Days to appeal after the result"), start=_start("appeal_days"))] = 10,
    because: Annotated[str, Ask(_("Why? (once the call is published everybody reads it)"), kind="long_text", limit=2000)] = "",
) -> Policy:  # fmt: skip
    """Fix by which rules the seats of a call are given. They are public with the call, and fixed when applications close."""
    Refused.because(rules_obstacles(state=call.state, closes_at=call.closes_at, now=now))
    facts = {
        "mechanism": mechanism, "lottery": lottery, "reserves": [row.model_dump() for row in reserves], "limits": [row.model_dump() for row in limits],
        "use_agreements": use_agreements, "reciprocity": reciprocity, "balance": balance, "clashes": clashes, "credits_least": credits_least,
        "credits_most": credits_most, "appeal_days": appeal_days,
    }  # fmt: skip
    given = {str(row.offering_id): Bound(row.offering.opportunity.title, row.seats) for row in offerings_of(call)}
    found = list(rules_problems(facts, given=given, groups=groups_asked_by(call.organisation), homes=map(str, partners_of(call))))
    rules = rules_of(call)
    if call.state != CallState.DRAFT and is_changed({name: getattr(rules, name) for name in facts}, facts):
        found += silence(because)
    Invalid.because(found)
    for name, value in facts.items():
        setattr(rules, name, value)
    rules.save()
    return rules


def unmet_minima(call: Call) -> list[dict[str, Any]]:
    """The facts of each least that the newest run found out of reach; empty when it found none, or there is a result."""
    newest = Run.objects.filter(call=call).exclude(state=RunState.DISCARDED).order_by("-number").first()
    if newest is None or newest.state != RunState.FAILED:
        return []
    return [plain["params"] for plain in newest.error if plain["code"] == "minimum-infeasible"]


@action("lower_minima", on=Call, label=_("Lower the least seats that cannot be reached"), allow=OFFICE, step=CALL_STEPS["lower_minima"], when=lambda call: bool(unmet_minima(call)), tone="primary")
def lower_minima(
    call: Call, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why? (everybody reads it: name nobody)"), _("For example: the partners agreed to it on a certain day."), kind="long_text", limit=2000)],
) -> Policy:  # fmt: skip
    """Lower each least number of seats that no result can reach to the most that one can. Nothing else of the rules changes.

    The only change of rules after applications close: without it a call whose minima contradict what was asked for could never
    be answered. How far is not the office's choice, it follows from the computation; why is told to everybody.
    """
    rules, missed = rules_of(call), unmet_minima(call)
    if not missed:
        raise Refused(Reason("minima-in-reach", N_("The newest preview of this call found no least number of seats out of reach.")))
    rules.limits = lowered(rules.limits, missed)
    rules.save()
    for run in Run.objects.filter(call=call, state=RunState.FAILED):  # they failed by rules that are no longer these
        discard(run, by=by, now=now, because=because)
    return rules


# What a student says of herself ---------------------------------------------------------------------------------------


def asked_of(application: Application) -> list[str]:
    """The groups that she is asked about: those by which the call reserves or bounds seats, as far as her institution asks."""
    asked = groups_asked_by(application.call.organisation, application.home)
    return [slug for slug in groups_used(rules_of(application.call)) if slug in asked]


def declared(application: Application) -> list[str]:
    return sorted(DeclaredGroup.objects.filter(declaration__application=application).values_list("group", flat=True))


def groups_said(call: Call) -> list[tuple[str, int | None]]:
    """(group, students) among the nominated, of those who agreed to be counted; what could point at a person is None."""
    rows = DeclaredGroup.objects.filter(declaration__for_statistics=True, declaration__application__call=call, declaration__application__nomination__isnull=False)
    counted = Counter(rows.values_list("group", flat=True))
    every = Application.objects.filter(call=call, nomination__isnull=False).count()
    return [(slug, part) for slug, _every, part in suppressed([(slug, every, number) for slug, number in sorted(counted.items())])]


def _statements(application: Application, _actor: Actor) -> list[tuple[str, str]]:
    return [(slug, text_in(group(slug).statement, get_language() or "en")) for slug in asked_of(application)]


def _consents(name: str) -> Any:
    return lambda application, _actor: bool(getattr(getattr(application, "declaration", None), name, False))


def _can_declare(application: Application) -> bool:
    is_over = application.state not in (State.DRAFT, State.SUBMITTED, State.NOMINATED)
    return not is_over and clock.now() < application.call.closes_at and bool(asked_of(application))


@action("declare", on=Application, label=_("Reserved seats: say what applies to you"), allow=("self@student",), when=_can_declare)
def declare(
    application: Application, *, by: Actor, now: datetime,
    groups: Annotated[list[str], Ask(
        _("What applies to you"),
        _("You need not say anything, and nothing is lost by it. No proof is asked. Nobody at your institution or at the host sees your answer."),
        choices=_statements, start=lambda application, _actor: declared(application),
    )] = [],  # noqa: B006 -- never changed; pydantic copies it
    for_seats: Annotated[bool, Ask(
        _("Use it for reserved seats"),
        _("The computation that gives the seats reads it. Somebody who knows your priority and your seat could guess that a reserve helped you."),
        start=_consents("for_seats"),
    )] = False,
    for_statistics: Annotated[bool, Ask(
        _("Count me in anonymous statistics"), _("Only numbers of five and more are ever shown."), start=_consents("for_statistics"),
    )] = False,
) -> Declaration:  # fmt: skip
    """Say which groups apply, and for what that may be used; until applications close, as often as she likes."""
    asked = asked_of(application)
    found = [Reason("group-not-asked", N_("This call does not ask about “%(group)s”."), {"group": slug}, "groups") for slug in sorted(set(groups) - set(asked))]
    if groups and not (for_seats or for_statistics):
        found.append(Reason("no-purpose", N_("Say for what it may be used, or leave everything empty: without a purpose nothing is kept."), {}, "for_seats"))
    Invalid.because(found)
    if now >= application.call.closes_at:
        raise Refused(Reason("call-closed", N_("Applications closed on %(closes)s. You can still take back what you said."), {"closes": application.call.closes_at}))
    made, _new = Declaration.objects.get_or_create(application=application, defaults={"declared_at": now})
    _keep(made, groups)
    made.for_seats, made.for_statistics, made.declared_at = for_seats, for_statistics, now
    made.save()
    return made


@action("take_back", on=Declaration, label=_("Take back what I said"), allow=("self@application.student",), tone="warning")
def take_back(declaration: Declaration, *, by: Actor, now: datetime) -> Declaration:
    """Erase what was said, at any time. A result that is published stays: it is not computed again."""
    _keep(declaration, [])
    declaration.for_seats = declaration.for_statistics = False
    declaration.save()
    return declaration


def _keep(declaration: Declaration, slugs: Sequence[str]) -> None:
    declaration.groups.all().delete()
    DeclaredGroup.objects.bulk_create(DeclaredGroup(declaration=declaration, group=slug) for slug in sorted(set(slugs)))


# What doors read ------------------------------------------------------------------------------------------------------


def effect_of(effects: Sequence[Effect], value: str) -> Effect:
    return next(effect for effect in effects if effect.value == value)


def reserve_lines(rules: Policy) -> list[str]:
    """Each reserve in words."""
    titles = _titles(rules)
    return [
        gettext("%(group)s: %(seats)s in %(course)s") % {"group": group_name(row["group"]), "seats": row["seats"], "course": titles.get(row["offering"], gettext("every course"))}
        for row in rules.reserves
    ]


def limit_lines(rules: Policy) -> list[str]:
    """Each least and most in words."""
    titles, homes = _titles(rules), {str(o.pk): name_of(o) for o in Organisation.objects.filter(pk__in=[row["home"] for row in rules.limits if row["home"]])}
    lines = []
    for row in rules.limits:
        facts = {"whom": homes.get(row["home"], "") or group_name(row["group"]), "course": titles.get(row["offering"], gettext("every course")), "least": row["least"], "most": row["most"]}
        if row["least"] is None:
            lines.append(gettext("%(whom)s: at most %(most)s in %(course)s") % facts)
        elif row["most"] is None:
            lines.append(gettext("%(whom)s: at least %(least)s in %(course)s") % facts)
        else:
            lines.append(gettext("%(whom)s: from %(least)s to %(most)s in %(course)s") % facts)
    return lines


def _titles(rules: Policy) -> dict[str, str]:
    ids = [row["offering"] for row in [*rules.reserves, *rules.limits] if row["offering"]]
    return {key: title_of(offering) for key, offering in by_id(ids).items()}


POLICY = resource(
    Resource(
        "policy", "policies", Policy, _("Rules for giving seats"), _("Rules for giving seats"), lambda p: call_title(p.call),
        fields=(
            Shown("call", _("Call"), lambda p: call_ref(p.call), "ref", listed=True, sort="call__code"),
            Shown("mechanism", _("Rules"), lambda p: p.mechanism, listed=True, sort="mechanism", words=lambda code: effect_of(MECHANISM_EFFECTS, code).label),
            Shown("lottery", _("Lottery"), lambda p: p.lottery, words=lambda code: effect_of(LOTTERY_EFFECTS, code).label),
            Shown("reserves", _("Reserved seats"), reserve_lines, "list"),
            Shown("limits", _("Least and most seats"), limit_lines, "list"),
            Shown("use_agreements", _("Keep the seats promised in agreements"), lambda p: p.use_agreements, "bool"),
            Shown("reciprocity", _("Balance with each partner"), lambda p: p.reciprocity, words=lambda code: effect_of(RECIPROCITY_EFFECTS, code).label),
            Shown("balance", _("How many more seats than it gives a partner may take"), lambda p: p.balance if p.reciprocity else None, "integer"),
            Shown("clashes", _("Clashing timetables"), lambda p: p.clashes, words=lambda code: effect_of(CLASH_EFFECTS, code).label),
            Shown("credits_least", _("Least credits for one student"), lambda p: p.credits_least, "number"),
            Shown("credits_most", _("Most credits for one student"), lambda p: p.credits_most, "number"),
            Shown("appeal_days", _("Days to appeal after the result"), lambda p: p.appeal_days, "integer", listed=True, sort="appeal_days"),
            Shown("rules", _("Rules as data"), lambda p: {"mechanism": p.mechanism, "lottery": p.lottery, "reserves": p.reserves, "limits": p.limits, "clashes": p.clashes, "reciprocity": p.reciprocity}, "json", detail=False),
        ),
        order="-created_at", related=("call__organisation",),
        empty=_("No call has fixed its own rules yet."),
    )
)  # fmt: skip

DECLARATION = resource(
    Resource(
        "declaration", "declarations", Declaration, _("What I said about reserved seats"), _("What I said about reserved seats"),
        lambda d: call_title(d.application.call),
        fields=(
            Shown("call", _("Call"), lambda d: call_ref(d.application.call), "ref", listed=True),
            Shown("groups", _("What applies to you"), lambda d: [group_name(each.group) for each in d.groups.all()], "list", listed=True),
            Shown("for_seats", _("Use it for reserved seats"), lambda d: d.for_seats, "bool", listed=True),
            Shown("for_statistics", _("Count me in anonymous statistics"), lambda d: d.for_statistics, "bool", listed=True),
            Shown("declared_at", _("Said"), lambda d: d.declared_at, "moment", listed=True, sort="declared_at"),
            Shown("application", _("Application"), lambda d: Ref("application", d.application_id, call_title(d.application.call)), "ref"),
        ),
        order="-declared_at", related=("application__call__organisation",), prefetch=("groups",),
        empty=_("You have said nothing, and nothing is lost by it. A call that reserves seats asks on the page of your application."),
    )
)  # fmt: skip
