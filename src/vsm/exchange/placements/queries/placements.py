"""Placements and their agreements as doors read them."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue.queries import language_choices
from vsm.exchange.institutions.queries import country_choices, organisation_ref
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import person_ref
from vsm.exchange.placements.models import Officer, Placement, PlacementAgreement, Signature, SigningLink
from vsm.exchange.placements.queries.vacancies import limit_for, vacancy_title
from vsm.exchange.placements.rules.agreement import PARTY_WORDS, Party, differences, told
from vsm.exchange.placements.rules.running import Day, Standing, Terms, due_on, is_open
from vsm.exchange.placements.states import OVER, EvaluationState, HoursState
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter
from vsm.kit.saying import labelled, moment_text
from vsm.kit.signed_texts import is_asked
from vsm.kit.verdict import Reason
from vsm.rulebook.placements import Limit

PLACEMENT_STATES = {
    "preparing": (_("Agreement to be signed"), "warn"), "ready": (_("Ready to start"), "info"), "running": (_("Running"), "good"),
    "interrupted": (_("Interrupted for a time"), "warn"), "suspended": (_("Suspended"), "bad"), "completed": (pgettext_lazy("placement", "Completed"), "good"),
    "ended": (_("Ended early"), "neutral"), "cancelled": (pgettext_lazy("placement", "Cancelled"), "bad"),
}  # fmt: skip
AGREEMENT_STATES = {
    "draft": (_("Being drafted"), "neutral"), "signing": (_("To be signed"), "warn"), "signed": (pgettext_lazy("placement_agreement", "Signed by all"), "good"), "cancelled": (pgettext_lazy("placement_agreement", "Cancelled"), "bad"),
}  # fmt: skip
LINK_STATES = {"sent": (pgettext_lazy("signing_link", "Sent"), "info"), "used": (_("Signed"), "good"), "withdrawn": (pgettext_lazy("signing_link", "Withdrawn"), "neutral")}
OCCASIONS = {"mid": _("halfway"), "final": _("at the end")}


def placement_title(placement: Any) -> str:
    return f"{placement.student.name} · {placement.host.name}"


def placement_ref(placement: Any) -> Ref:
    return Ref("placement", placement.pk, placement_title(placement))


def is_student(placement: Any, actor: Actor) -> bool:
    return actor.person_id is not None and actor.person_id == placement.student_id


def is_host_side(placement: Any, actor: Actor) -> bool:
    """The mentor and the host's office."""
    return actor.person_id is not None and (actor.person_id == placement.mentor_id or actor.holds("coordinator", placement.host.organisation_id))


def is_home_side(placement: Any, actor: Actor) -> bool:
    return actor.person_id is not None and (actor.person_id == placement.tutor_id or placement.home_id in actor.organisations("coordinator", "registrar", "observer"))


def side_of(placement: Any, actor: Actor) -> str:
    """student, host, home or nothing: for whom this person speaks in an evaluation or when it ends."""
    if is_student(placement, actor):
        return "student"
    if is_host_side(placement, actor):
        return "host"
    return "home" if is_home_side(placement, actor) else ""


def officer_of(home_id: UUID) -> Officer | None:
    return Officer.objects.filter(organisation_id=home_id).select_related("person", "deputy").first()


def limit_of(placement: Any, on: date) -> Limit:
    """The stricter of the host's and home's law: the student sits in one country and works for the other."""
    return limit_for(placement.host.country, placement.home.country, on=on)


def standing_of(placement: Any) -> Standing:
    """What the rules of starting look at, as it is today."""
    return Standing(
        signed_version=placement.agreement.signed_version, vetted_until=placement.host.valid_until, is_vetted=placement.host.state == "vetted",
        insured_from=placement.insured_from, insured_until=placement.insured_until, starts_on=placement.starts_on, ends_on=placement.ends_on,
        has_officer=officer_of(placement.home_id) is not None,
    )  # fmt: skip


def terms_of(placement: Any, on: date) -> Terms:
    """What hours are held to, up to this day."""
    first = placement.started_on or placement.starts_on
    last = min(filter(None, (on, placement.ends_on, placement.ended_on)))
    return Terms(first=first, last=last, per_week=placement.hours_per_week, limit=limit_of(placement, on), rested=placement.rested_days(first, last))


def held_days(placement: Any, *, besides: Any = None) -> dict[date, Day]:
    """Day → what is written down, withdrawn entries left out."""
    found = placement.hours.exclude(state=HoursState.WITHDRAWN).exclude(pk=besides)
    return {entry.day: Day(entry.day, entry.hours, entry.what) for entry in found}


def hours_by_state(placement: Any) -> dict[str, Decimal]:
    """State → hours, for logged, returned and confirmed ones."""
    found = dict(placement.hours.exclude(state=HoursState.WITHDRAWN).values_list("state").annotate(total=Sum("hours")).order_by())
    return {state: Decimal(found.get(state) or 0) for state in ("logged", "returned", "confirmed")}


def agreed_hours(placement: Any) -> Decimal:
    """Hours a week times the weeks of the agreement, the times in which it rested left out."""
    days: int = (placement.ends_on - placement.starts_on).days + 1 - len(placement.rested_days(placement.starts_on, placement.ends_on))
    per_week: Decimal = placement.hours_per_week
    return (per_week * days / 7).quantize(Decimal(1))


def occasions_open(placement: Any, on: date) -> list[str]:
    """The evaluations that can be given on this day: neither too early, nor read by both already."""
    shown = {each.occasion for each in placement.evaluations.all() if each.state == EvaluationState.SHOWN}
    return [
        occasion
        for occasion in OCCASIONS
        if occasion not in shown and is_open(occasion, starts_on=placement.starts_on, ends_on=placement.ends_on, on=on, is_over=placement.state in OVER)
    ]


def evaluations_standing(placement: Any, now: datetime) -> list[dict[str, Any]]:
    """For each occasion: when it is due, which sides are in, whether both may be read. Tells no content."""
    held = {(each.occasion, each.side): each for each in placement.evaluations.all()}
    found = []
    for occasion, label in OCCASIONS.items():
        due = due_on(occasion, starts_on=placement.starts_on, ends_on=placement.ends_on)
        sides = {side: (occasion, side) in held for side in ("student", "host")}
        found.append({"occasion": occasion, "label": label, "due": due, "sides": sides, "is_late": not all(sides.values()) and due < placement.today(now), "shown": all(sides.values())})
    return found


# The agreement --------------------------------------------------------------------------------------------------------


def sides_of(agreement: PlacementAgreement, actor: Actor) -> tuple[str, ...]:
    """The sides this person may sign for. A student signs as the student only, whatever office they hold besides."""
    placement = agreement.placement
    if is_student(placement, actor):
        return (Party.STUDENT.value,)
    sides = []
    if actor.holds("coordinator", placement.home_id) or actor.holds("registrar", placement.home_id):
        sides.append(Party.HOME.value)
    if actor.holds("coordinator", placement.host.organisation_id):
        sides.append(Party.HOST.value)
    return tuple(sides)


def side_choices(agreement: Any, actor: Actor) -> list[tuple[str, str]]:
    return [(side, _now(PARTY_WORDS[side])) for side in sides_of(agreement, actor)]


def signed_sides(version: Any) -> dict[str, UUID | None]:
    """Side → the account that signed this version for it, None for a signature by link."""
    return {each.party: each.person_id for each in version.signatures.all()}


def is_asked_to_sign(agreement: PlacementAgreement, actor: Actor) -> bool:
    """Whether the present version waits for a signature of this person."""
    version = agreement.current_version
    return is_asked(signed_sides(version) if version else {}, sides_of(agreement, actor), actor.person_id)


def sides_signed_before(agreement: PlacementAgreement) -> dict[UUID, str]:
    """Person → the side that they have signed, under any version."""
    return dict(Signature.objects.filter(version__agreement=agreement, person__isnull=False).values_list("person_id", "party"))


def changes_to_sign(agreement: PlacementAgreement) -> tuple[Reason, ...]:
    """How the version being worked on differs from the one in force; nothing when there is only one of them."""
    current, in_force = agreement.current_version, agreement.version_in_force
    if current is None or in_force is None or current.number == in_force.number:
        return ()
    return tuple(told(change) for change in differences(in_force.text, current.text) if change.before != change.after)


def tutor_choices(agreement: Any, _actor: Actor) -> list[tuple[str, str]]:
    """Everybody with an office at home."""
    found = Person.objects.filter(
        Q(memberships__ends_on=None), memberships__organisation_id=agreement.placement.home_id, memberships__role__in=["coordinator", "instructor", "registrar"], is_active=True
    ).distinct()
    return [(str(person.pk), person.name) for person in found]


def work_language_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return language_choices()


def _signatures(agreement: Any) -> list[str]:
    version = agreement.current_version
    if version is None:
        return []
    return [labelled(_now(PARTY_WORDS[s.party]), f"{s.name}{', ' + s.function if s.function else ''}, {moment_text(s.at)}") for s in version.signatures.all()]


def _content(agreement: Any) -> Mapping[str, Any]:
    version = agreement.current_version
    return version.content if version else {}


PLACEMENT = resource(
    Resource(
        "placement", "placements", Placement, _("Placement"), _("Placements"), placement_title,
        fields=(
            Shown("student", _("Student"), lambda p: person_ref(p.student), "ref", listed=True, sort="student__folded"),
            Shown("host", _("Host organisation"), lambda p: Ref("host", p.host_id, p.host.name), "ref", listed=True, sort="host__name"),
            Shown("home", _("Home institution"), lambda p: organisation_ref(p.home), "ref", listed=True, sort="home__schac"),
            Shown("state", _("State"), lambda p: p.state, "state", listed=True, sort="state"),
            Shown("starts_on", _("First day"), lambda p: p.starts_on, "date", listed=True, sort="starts_on"),
            Shown("ends_on", _("Last day"), lambda p: p.ends_on, "date", listed=True, sort="ends_on"),
            Shown("hours_per_week", _("Hours a week"), lambda p: p.hours_per_week, "number"),
            Shown("task", _("Vacancy"), lambda p: Ref("vacancy", p.application.vacancy_id, vacancy_title(p.application.vacancy)), "ref"),
            Shown("mentor", _("Mentor at the host"), lambda p: p.mentor_name, listed=True, sort="mentor_name"),
            Shown("tutor", _("Tutor at home"), lambda p: p.tutor.name if p.tutor else ""),
            Shown("agreement", _("Tripartite agreement"), lambda p: Ref("placement_agreement", p.agreement.pk, _now("Read the agreement")) if hasattr(p, "agreement") else None, "ref"),
            Shown("insurer", _("Insurer"), lambda p: p.insurer),
            Shown("policy", _("Policy number"), lambda p: p.policy),
            Shown("insured_from", _("Insured from"), lambda p: p.insured_from, "date"),
            Shown("insured_until", _("Insured until"), lambda p: p.insured_until, "date"),
            Shown("started_on", _("Started on"), lambda p: p.started_on, "date"),
            Shown("ended_on", _("Ended on"), lambda p: p.ended_on, "date"),
            Shown("ended_by", _("Ended by"), lambda p: p.ended_by, words=PARTY_WORDS),
            Shown("because", _("Why"), lambda p: p.because, "long_text"),
        ),
        filters=(
            state_filter(PLACEMENT_STATES),
            Filter("country", _("Country of the host"), lambda found, value: found.filter(host__country=value), choices=country_choices),
            Filter(
                "hours", _("Hours"), lambda found, value: found.filter(hours__state=value).distinct(),
                choices=lambda _actor: [("logged", _now("Hours to confirm")), ("returned", _now("Hours returned"))],
            ),
            Filter(
                "credit", _("Credit at home"), lambda found, value: found.filter(credit=None, state__in=OVER) if value == "undecided" else found.filter(credit__state=value),
                choices=lambda _actor: [("undecided", _now("Over, and not decided yet")), ("recognised", _now("Recognised")), ("refused", _now("Not recognised"))],
            ),
        ),
        order="-starts_on", related=("student", "home", "host", "tutor", "application__vacancy__offering__opportunity", "agreement"), prefetch=("pauses", "evaluations"),
        states=PLACEMENT_STATES,
        sections=(
            Section(_("Evaluations"), "placement_evaluation", lambda p: {"placement": p}),
            Section(_("Credit at home"), "placement_credit", lambda p: {"placement": p}),
        ),
        empty=_("No placement yet: one opens when a student accepts a host’s offer."),
    )
)  # fmt: skip

PLACEMENT_AGREEMENT = resource(
    Resource(
        "placement_agreement", "placement-agreements", PlacementAgreement, _("Tripartite agreement"), _("Tripartite agreements"),
        lambda a: placement_title(a.placement),
        fields=(
            Shown("student", _("Student"), lambda a: person_ref(a.placement.student), "ref", listed=True, sort="placement__student__folded"),
            Shown("host", _("Host organisation"), lambda a: Ref("host", a.placement.host_id, a.placement.host.name), "ref", listed=True, sort="placement__host__name"),
            Shown("home", _("Home institution"), lambda a: organisation_ref(a.placement.home), "ref", listed=True, sort="placement__home__schac"),
            Shown("state", _("State"), lambda a: a.state, "state", listed=True, sort="state"),
            Shown("waiting_for", _("Signature missing of"), lambda a: a.waiting_for.split() if a.state == "signing" else [], "list", listed=True, words=PARTY_WORDS),
            Shown("version_in_work", _("Current version"), lambda a: a.current, "integer", listed=True, sort="current"),
            Shown("signed_version", _("Version in force"), lambda a: a.signed_version or None, "integer", listed=True, sort="signed_version"),
            Shown("digest", _("Fingerprint of the current version"), lambda a: a.current_version.digest if a.current_version else "", "digest"),
            Shown("content", _("Text of the current version"), _content, "json", detail=False),
            Shown("signatures", _("Signatures under the current version"), _signatures, "list"),
            Shown("placement", _("Placement"), lambda a: placement_ref(a.placement), "ref"),
        ),
        filters=(
            state_filter(AGREEMENT_STATES),
            Filter(
                "waiting_for", _("Signature missing of"), lambda found, value: found.filter(state="signing", waiting_for__contains=value),
                choices=lambda _actor: [(party, _now(word)) for party, word in PARTY_WORDS.items()],
            ),
        ),
        related=("placement__student", "placement__home", "placement__host"), prefetch=("versions__signatures",), states=AGREEMENT_STATES,
        sections=(Section(_("Links to sign by"), "signing_link", lambda a: {"agreement": a}),),
        empty=_("A tripartite agreement opens by itself when a student accepts a host’s offer."),
    )
)  # fmt: skip

SIGNING_LINK = resource(
    Resource(
        "signing_link", "signing-links", SigningLink, _("Link to sign by"), _("Links to sign by"), lambda link: link.email,
        fields=(
            Shown("email", _("Email"), lambda k: k.email, listed=True, sort="email"),
            Shown("name", _("Name"), lambda k: k.name, listed=True, sort="name"),
            Shown("state", _("State"), lambda k: k.state, "state", listed=True, sort="state"),
            Shown("expires_at", _("Expires"), lambda k: k.expires_at, "moment", listed=True, sort="expires_at"),
            Shown("opened_at", _("First opened"), lambda k: k.opened_at, "moment", listed=True),
            Shown("used_at", _("Signed"), lambda k: k.used_at, "moment"),
            Shown("digest", _("For the text with the fingerprint"), lambda k: k.digest, "digest"),
            Shown("agreement", _("Tripartite agreement"), lambda k: Ref("placement_agreement", k.agreement_id, placement_title(k.agreement.placement)), "ref"),
        ),
        filters=(state_filter(LINK_STATES),),
        related=("agreement__placement__student", "agreement__placement__host"), states=LINK_STATES, empty=_("No link was sent."),
    )
)  # fmt: skip


def in_reader(texts: Any) -> str:
    return text_in(texts, get_language() or "en")

