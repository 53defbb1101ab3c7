"""Hours, evaluations, concerns and credit decisions as doors read them."""

from collections.abc import Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from vsm import rulebook
from vsm.exchange.catalogue import labels
from vsm.exchange.institutions.queries import organisation_ref
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import person_ref
from vsm.exchange.placements.models import Concern, Evaluation, HoursEntry, Officer, Placement, PlacementCredit
from vsm.exchange.placements.queries.placements import OCCASIONS, placement_ref, placement_title
from vsm.exchange.placements.rules.agreement import PARTY_WORDS
from vsm.exchange.placements.states import HoursState
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.resources import Filter, Resource, Shown, resource, state_filter
from vsm.kit.saying import day_text
from vsm.rulebook.placements import instrument

MOST_CHOICES = 200
HOURS_STATES = {
    "logged": (_("To be confirmed"), "info"), "returned": (_("Sent back"), "warn"), "confirmed": (_("Confirmed"), "good"), "withdrawn": (pgettext_lazy("hours_entry", "Withdrawn"), "neutral"),
}  # fmt: skip
EVALUATION_STATES = {"sealed": (_("Sealed until both are in"), "info"), "shown": (_("Both are in"), "good")}
CONCERN_STATES = {
    "raised": (_("Raised"), "warn"), "acknowledged": (_("Acknowledged"), "info"), "acting": (_("Being acted on"), "info"), "closed": (pgettext_lazy("concern", "Closed"), "neutral"),
}  # fmt: skip
CONCERN_KINDS = {
    "harassment": _("Harassment or violence"), "discrimination": _("Discrimination"), "unsafe": _("Unsafe or unwell"), "hours": _("Too many hours"),
    "tasks": _("Other tasks than agreed"), "data": _("My data or my work"), "pay": _("Pay or costs"), "other": _("Something else"),
}  # fmt: skip
CREDIT_STATES = {"recognised": (pgettext_lazy("placement_credit", "Recognised"), "good"), "refused": (pgettext_lazy("placement_credit", "Not recognised"), "neutral")}


def entry_told(entry: Any) -> str:
    """`Tue 3 Mar 2026 · 6 h · Cleaned the survey data`."""
    return f"{labels.weekday_text(entry.day)} · {number_format(entry.hours.normalize(), use_l10n=True)} h · {entry.what}"


def open_entries(placement: Any, _actor: Actor) -> list[tuple[str, str]]:
    """What waits for the mentor, oldest first."""
    return [(str(entry.pk), entry_told(entry)) for entry in placement.hours.filter(state=HoursState.LOGGED).order_by("day")]


def open_ids(placement: Any, _actor: Actor) -> list[str]:
    return [str(pk) for pk in placement.hours.filter(state=HoursState.LOGGED).order_by("day").values_list("pk", flat=True)]


def kind_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(slug, str(label)) for slug, label in CONCERN_KINDS.items()]


def staff_choices(organisation: Any, _actor: Actor) -> list[tuple[str, str]]:
    """Everybody with an office at the institution."""
    found = Person.objects.filter(memberships__organisation_id=organisation.pk, memberships__ends_on=None, is_active=True).exclude(memberships__role="student").distinct()
    return [(str(person.pk), person.name) for person in found]


def answers_told(evaluation: Any) -> list[dict[str, Any]]:
    """Every answer with its question in the reader's language, for pages and certificates."""
    language = get_language() or "en"
    asked = instrument(evaluation.at.date()).asked_of(evaluation.side)
    return [
        {"question": text_in(each.name, language), "score": evaluation.answers.get(each.slug, {}).get("score", ""), "comment": evaluation.answers.get(each.slug, {}).get("comment", "")}
        for each in asked
    ]


def mean_of(evaluation: Any) -> float | None:
    scores = [int(each["score"]) for each in evaluation.answers.values() if str(each.get("score", "")).isdecimal()]
    return round(sum(scores) / len(scores), 1) if scores else None


def _answers(evaluation: Any) -> Mapping[str, Any]:
    return evaluation.answers  # type: ignore[no-any-return]  # -- a JSON column


def _placement_choices(actor: Actor) -> list[tuple[str, str]]:
    found = Placement.objects.visible_to(actor).select_related("student", "host").exclude(started_on=None)[:MOST_CHOICES]
    return [(str(each.pk), placement_title(each)) for each in found]


HOURS_ENTRY = resource(
    Resource(
        "hours_entry", "hours", HoursEntry, _("Hours of a day"), _("Hours"), entry_told,
        fields=(
            Shown("day", _("Day"), lambda e: e.day, "date", listed=True, sort="day"),
            Shown("hours", _("Hours"), lambda e: e.hours, "number", listed=True, sort="hours"),
            Shown("what", _("What was done"), lambda e: e.what, listed=True),
            Shown("state", _("State"), lambda e: e.state, "state", listed=True, sort="state"),
            Shown("placement", _("Placement"), lambda e: placement_ref(e.placement), "ref", listed=True, sort="placement__student__folded"),
            Shown("confirmed_by", _("Answered by"), lambda e: e.confirmed_by.name if e.confirmed_by else ""),
            Shown("confirmed_at", _("Answered"), lambda e: e.confirmed_at, "moment"),
            Shown("because", _("Why"), lambda e: e.because, "long_text"),
        ),
        filters=(
            state_filter(HOURS_STATES),
            Filter("placement", _("Placement"), lambda found, value: found.filter(placement=value), choices=_placement_choices),
        ),
        order="-day", related=("placement__student", "placement__host", "confirmed_by"), states=HOURS_STATES,
        empty=_("No hours yet. The student writes them down on the placement’s page."),
    )
)  # fmt: skip

PLACEMENT_EVALUATION = resource(
    Resource(
        "placement_evaluation", "placement-evaluations", Evaluation, _("Evaluation"), _("Evaluations"),
        lambda e: f"{placement_title(e.placement)} · {OCCASIONS[e.occasion]} · {_now(PARTY_WORDS[e.side])}",
        fields=(
            Shown("occasion", _("Occasion"), lambda e: e.occasion, listed=True, sort="occasion", words=OCCASIONS),
            Shown("side", _("Side"), lambda e: e.side, listed=True, sort="side", words=PARTY_WORDS),
            Shown("state", _("State"), lambda e: e.state, "state", listed=True, sort="state"),
            Shown("mean", _("Mean"), mean_of, "number", listed=True),
            Shown("at", _("Given on"), lambda e: e.at, "moment", listed=True, sort="at"),
            Shown("placement", _("Placement"), lambda e: placement_ref(e.placement), "ref", listed=True),
            Shown("answers", _("Answers"), _answers, "json", detail=False),
            Shown("comment", _("In your own words"), lambda e: e.comment, "long_text"),
        ),
        filters=(
            state_filter(EVALUATION_STATES),
            Filter("occasion", _("Occasion"), lambda found, value: found.filter(occasion=value), choices=lambda _actor: [(slug, str(label)) for slug, label in OCCASIONS.items()]),
        ),
        order="-at", related=("placement__student", "placement__host"), states=EVALUATION_STATES,
        empty=_("No evaluation to read yet: each side’s opens when both are in."),
    )
)  # fmt: skip

SAFEGUARDING_OFFICER = resource(
    Resource(
        "safeguarding_officer", "safeguarding-officers", Officer, _("Safeguarding officer"), _("Safeguarding officers"), lambda o: o.person.name,
        fields=(
            Shown("person", _("Officer"), lambda o: o.person.name, listed=True, sort="person__folded"),
            Shown("organisation", _("Institution"), lambda o: organisation_ref(o.organisation), "ref", listed=True, sort="organisation__schac"),
            Shown("deputy", _("Deputy"), lambda o: o.deputy.name if o.deputy else "", listed=True),
            Shown("phone", _("Telephone"), lambda o: o.phone, listed=True),
        ),
        order="organisation__schac", related=("organisation", "person", "deputy"), starts=(("organisation", "name_officer"),),
        empty=_("No institution has named an officer yet."),
    )
)  # fmt: skip

CONCERN = resource(
    Resource(
        "concern", "concerns", Concern, _("Concern"), _("Concerns"), lambda c: f"{CONCERN_KINDS[c.kind]} · {day_text(c.created_at)}",
        fields=(
            Shown("kind", _("About"), lambda c: c.kind, listed=True, sort="kind", words=CONCERN_KINDS),
            Shown("state", _("State"), lambda c: c.state, "state", listed=True, sort="state"),
            Shown("created_at", _("Raised"), lambda c: c.created_at, "moment", listed=True, sort="created_at"),
            Shown("acknowledge_by", _("First answer until"), lambda c: c.acknowledge_by, "moment", listed=True, sort="acknowledge_by"),
            Shown("is_urgent", _("Somebody is in danger now"), lambda c: c.is_urgent, "bool"),
            Shown("raised_by", _("Raised by"), lambda c: person_ref(c.raised_by) if c.raised_by else None, "ref"),
            Shown("contact", _("How to reach the person"), lambda c: c.contact),
            Shown("about", _("Placement"), lambda c: placement_ref(c.about) if c.about else None, "ref"),
            Shown("home", _("Institution"), lambda c: organisation_ref(c.home), "ref"),
            Shown("text", _("What happened"), lambda c: c.text, "long_text"),
            Shown("outcome", _("Outcome"), lambda c: c.outcome, "long_text"),
        ),
        filters=(
            state_filter(CONCERN_STATES),
            Filter("kind", _("About"), lambda found, value: found.filter(kind=value), choices=lambda _actor: kind_choices()),
        ),
        related=("home", "about__student", "about__host", "raised_by"), prefetch=("notes",), states=CONCERN_STATES,
        empty=_("No concern. One is raised on the page of a placement, or on the page for everybody."),
    )
)  # fmt: skip

PLACEMENT_CREDIT = resource(
    Resource(
        "placement_credit", "placement-credits", PlacementCredit, _("Credit for a placement"), _("Credit for placements"), lambda c: placement_title(c.placement),
        fields=(
            Shown("student", _("Student"), lambda c: person_ref(c.placement.student), "ref", listed=True, sort="placement__student__folded"),
            Shown("state", _("Decision"), lambda c: c.state, "state", listed=True, sort="state"),
            Shown("credits", _("Credits"), lambda c: c.credits, "number", listed=True, sort="credits"),
            Shown("credit_system", _("Credit system"), lambda c: c.credit_system, listed=True, words=labels.credit_system_label),
            Shown("hours", _("Confirmed hours"), lambda c: c.hours, "number", listed=True, sort="hours"),
            Shown("proposed", _("What the rules propose"), lambda c: c.proposed, "number"),
            Shown("low", _("Least by the rules"), lambda c: c.low, "number"),
            Shown("high", _("Most by the rules"), lambda c: c.high, "number"),
            Shown("citation", _("Source"), lambda c: rulebook.cited(c.citation, get_language() or "en")),
            Shown("home_code", _("Code at home"), lambda c: c.home_code, listed=True),
            Shown("home_title", _("Title at home"), lambda c: c.home_title),
            Shown("placement", _("Placement"), lambda c: placement_ref(c.placement), "ref"),
            Shown("decided_by", _("Decided by"), lambda c: c.decided_by.name if c.decided_by else ""),
            Shown("decided_at", _("Decided"), lambda c: c.decided_at, "moment", listed=True, sort="decided_at"),
            Shown("because", _("Why"), lambda c: c.because, "long_text"),
        ),
        filters=(state_filter(CREDIT_STATES),),
        order="-decided_at", related=("placement__student", "placement__host", "decided_by"), states=CREDIT_STATES,
        empty=_("No decision yet. Home decides when a placement is over."),
    )
)  # fmt: skip
