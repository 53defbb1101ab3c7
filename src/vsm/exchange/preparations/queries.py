"""What doors read about preparations: their tables of fields, filters and related lists."""

from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vsm.exchange.catalogue import labels
from vsm.exchange.institutions.queries import name_of, organisation_ref
from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.mobilities.queries import conditions_open, mobility_ref
from vsm.exchange.preparations.models import (
    Companion,
    Pairing,
    Participation,
    Preparation,
    PreparationModule,
    PreparationRequirement,
    SelfAssessment,
)
from vsm.exchange.preparations.states import RequirementState
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter
from vsm.kit.saying import labelled, say_reason
from vsm.kit.verdict import Reason
from vsm.rulebook.instruments import CAN_DO, instrument, instruments

STATES = {"draft": (_("Draft"), "neutral"), "open": (_("Open to join"), "good"), "closed": (pgettext_lazy("preparation", "Closed"), "neutral")}
MODULE_STATES = {"current": (_("Current"), "good"), "withdrawn": (pgettext_lazy("preparation_module", "Withdrawn"), "neutral")}
PARTICIPATION_STATES = {"active": (_("Taking part"), "info"), "completed": (pgettext_lazy("participation", "Completed"), "good"), "left": (pgettext_lazy("participation", "Left"), "neutral")}
COMPANION_STATES = {"offered": (_("Offered, not accepted yet"), "warn"), "active": (_("Available"), "good"), "declined": (_("Not accepted"), "bad"), "ended": (_("Ended"), "neutral")}
PAIRING_STATES = {"proposed": (_("Proposed"), "warn"), "agreed": (_("Agreed by both"), "good"), "declined": (pgettext_lazy("pairing", "Declined"), "neutral"), "ended": (_("Ended"), "neutral")}
REQUIREMENT_STATES = {"open": (_("Still open"), "warn"), "fulfilled": (_("Fulfilled"), "good"), "waived": (_("Waived"), "neutral"), "withdrawn": (_("Withdrawn"), "neutral")}
KIND_LABELS = {"condition": _("Condition of the mobility"), "advice": _("Advice")}
MODULE_KINDS = {"page": _("Page (text alone)"), "link": _("Link")}
COMPANION_KINDS = {"peer": _("Studies at the host now"), "alumni": _("Was on exchange to or from the host")}
MOMENTS = {"before": _("Before"), "after": _("After")}


def title_of(preparation: Any) -> str:
    return labels.in_reader(preparation.title)


def preparation_ref(preparation: Any) -> Ref:
    return Ref("preparation", preparation.pk, title_of(preparation))


def participation_title(participation: Any) -> str:
    return f"{participation.student.name} · {title_of(participation.preparation)}"


def instrument_name(slug: str) -> str:
    return next((labels.in_reader(each.name) for each in instruments() if each.slug == slug), slug)


def instrument_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(each.slug, labels.in_reader(each.name)) for each in instruments()]


def score_lines(assessment: Any) -> list[str]:
    """The scores of one assessment in words: a level for can-do, a mean of 1 to 5 else."""
    told = instrument(assessment.instrument)
    lines = []
    for scale in told.scales:
        score = assessment.scores.get(scale.slug, 0)
        shown = (scale.items[int(score) - 1].slug if score else _now("below A1")) if told.kind == CAN_DO else number_format(score, 1)
        lines.append(labelled(labels.in_reader(scale.name), shown))
    return lines


def why_lines(pairing: Any) -> list[str]:
    """The reasons of a pairing, kept as code, text and facts, in the reader's language."""
    return [say_reason(Reason(each["code"], each["text"], _spoken(each["params"]))) for each in pairing.why]


def _spoken(params: dict[str, Any]) -> dict[str, Any]:
    """Languages by their names: what is kept are codes."""
    if "languages" not in params:
        return params
    return {**params, "languages": ", ".join(labels.language_label(code) for code in params["languages"].split(", "))}


PREPARATION = resource(
    Resource(
        "preparation", "preparations", Preparation, _("Preparation for a mobility"), _("Preparations for mobilities"), title_of,
        fields=(
            Shown("title", _("Title"), lambda p: p.title, "localized", listed=True, sort="code", detail=False),
            Shown("code", _("Code"), lambda p: p.code),
            Shown("state", _("State"), lambda p: p.state, "state", listed=True, sort="state"),
            Shown("host", _("Host institution"), lambda p: organisation_ref(p.host), "ref", listed=True, sort="host__schac"),
            Shown("organisation", _("Run by"), lambda p: organisation_ref(p.organisation), "ref", listed=True, sort="organisation__schac"),
            Shown("language", _("Language of the host"), lambda p: p.language, "language", listed=True, sort="language"),
            Shown("starts_on", _("Starts"), lambda p: p.starts_on, "date", listed=True, sort="starts_on"),
            Shown("ends_on", _("Ends"), lambda p: p.ends_on, "date", sort="ends_on"),
            Shown("instruments", _("Self-assessments"), lambda p: p.instruments, "list", words=instrument_name),
            Shown("meetings_needed", _("Meetings to attend"), lambda p: p.meetings_needed, "integer"),
            Shown("hours", _("Hours on the certificate"), lambda p: p.hours, "number"),
            Shown("about", _("About"), lambda p: p.about, "localized", detail=False),
        ),
        filters=(
            state_filter(STATES),
            Filter("language", _("Language of the host"), lambda found, value: found.filter(language=value), choices=lambda _actor: [(code, labels.language_label(code)) for code in ("es", "pt-br", "en", "fr")]),
        ),
        order="-starts_on", related=("organisation", "host"),
        sections=(Section(_("Who takes part"), "participation", lambda p: {"preparation": p}), Section(_("Companions proposed"), "pairing", lambda p: {"participation__preparation": p})),
        states=STATES, starts=(("organisation", "offer_preparation"),), empty=_("A coordinator offers a preparation for students who will travel to a host."),
    )
)  # fmt: skip

PREPARATION_MODULE = resource(
    Resource(
        "preparation_module", "preparation-modules", PreparationModule, _("Module of a preparation"), _("Modules of preparations"), lambda m: labels.in_reader(m.title),
        fields=(
            Shown("title", _("Title"), lambda m: m.title, "localized", listed=True, detail=False),
            Shown("preparation", _("Preparation for a mobility"), lambda m: preparation_ref(m.preparation), "ref", listed=True),
            Shown("kind", _("Kind"), lambda m: m.kind, listed=True, sort="kind", words=MODULE_KINDS),
            Shown("minutes", _("Minutes"), lambda m: m.minutes, "integer", listed=True, sort="minutes"),
            Shown("kilobytes", _("Size in kB"), lambda m: m.kilobytes, "integer", listed=True, sort="kilobytes"),
            Shown("required", _("Needed for completion"), lambda m: m.required, "bool", listed=True),
            Shown("url", _("Address"), lambda m: m.url),
            Shown("body", _("Text"), lambda m: m.body, "localized", detail=False),
            Shown("state", _("State"), lambda m: m.state, "state"),
        ),
        filters=(state_filter(MODULE_STATES),), order="position", related=("preparation",), states=MODULE_STATES,
    )
)  # fmt: skip

PARTICIPATION = resource(
    Resource(
        "participation", "participations", Participation, _("Participation in a preparation"), _("Participations in preparations"), participation_title,
        fields=(
            Shown("student", _("Student"), lambda p: p.student.name, listed=True, sort="student__folded"),
            Shown("preparation", _("Preparation for a mobility"), lambda p: preparation_ref(p.preparation), "ref", listed=True, sort="preparation__code"),
            Shown("mobility", _("Mobility"), lambda p: mobility_ref(p.mobility), "ref"),
            Shown("state", _("State"), lambda p: p.state, "state", listed=True, sort="state"),
            Shown("joined_at", _("Joined"), lambda p: p.joined_at, "moment", listed=True, sort="joined_at"),
            Shown("completed_at", _("Completed"), lambda p: p.completed_at, "moment", listed=True, sort="completed_at"),
            Shown("wants_companion", _("Wants a companion at the host"), lambda p: p.wants_companion, "bool"),
        ),
        filters=(state_filter(PARTICIPATION_STATES),), order="-joined_at", related=("student", "preparation", "mobility__host", "mobility__student"),
        sections=(Section(_("Self-assessments"), "self_assessment", lambda p: {"participation": p}), Section(_("Companions"), "pairing", lambda p: {"participation": p})),
        states=PARTICIPATION_STATES,
    )
)  # fmt: skip

SELF_ASSESSMENT = resource(
    Resource(
        "self_assessment", "self-assessments", SelfAssessment, _("Self-assessment"), _("Self-assessments"), lambda a: f"{instrument_name(a.instrument)} · {MOMENTS[a.moment]}",
        fields=(
            Shown("instrument", _("Self-assessment"), lambda a: instrument_name(a.instrument), listed=True, sort="instrument"),
            Shown("moment", _("Moment"), lambda a: a.moment, listed=True, sort="moment", words=MOMENTS),
            Shown("scores", _("Scores"), score_lines, "list", listed=True),
            Shown("taken_at", _("Taken"), lambda a: a.taken_at, "moment", listed=True, sort="taken_at"),
            Shown("answers", _("Answers"), lambda a: a.answers, "json", detail=False),
            Shown("rulebook", _("Version of the rulebook"), lambda a: a.rulebook),
        ),
        filters=(Filter("instrument", _("Self-assessment"), lambda found, value: found.filter(instrument=value), choices=lambda _actor: instrument_choices()),),
        order="-taken_at", related=("participation__preparation",),
    )
)  # fmt: skip

COMPANION = resource(
    Resource(
        "companion", "companions", Companion, _("Companion at a host"), _("Companions at hosts"), lambda c: f"{c.person.name} · {name_of(c.organisation)}",
        fields=(
            Shown("person", _("Person"), lambda c: c.person.name, listed=True, sort="person__folded"),
            Shown("organisation", _("Host institution"), lambda c: organisation_ref(c.organisation), "ref", listed=True),
            Shown("kind", _("Kind"), lambda c: c.kind, listed=True, sort="kind", words=COMPANION_KINDS),
            Shown("state", _("State"), lambda c: c.state, "state", listed=True, sort="state"),
            Shown("languages", _("Languages"), lambda c: c.languages, "languages", listed=True),
            Shown("isced_f", _("Field of study (ISCED-F)"), lambda c: c.isced_f),
            Shown("places", _("Most students at a time"), lambda c: c.places, "integer"),
            Shown("about", _("In their own words"), lambda c: c.about, "long_text"),
            Shown("consented_at", _("Agreed to be contacted"), lambda c: c.consented_at, "moment"),
            Shown("because", _("Reason"), lambda c: c.because, "long_text"),
        ),
        filters=(state_filter(COMPANION_STATES),), related=("person", "organisation"), states=COMPANION_STATES, starts=(("organisation", "accompany"),),
        empty=_("Students and former exchange students of a host can offer to accompany those who are coming."),
    )
)  # fmt: skip

PAIRING = resource(
    Resource(
        "pairing", "pairings", Pairing, _("Student and companion"), _("Students and companions"), lambda p: f"{p.participation.student.name} · {p.companion.person.name}",
        fields=(
            Shown("student", _("Student"), lambda p: p.participation.student.name, listed=True, sort="participation__student__folded"),
            Shown("companion", _("Companion"), lambda p: p.companion.person.name, listed=True, sort="companion__person__folded"),
            Shown("state", _("State"), lambda p: p.state, "state", listed=True, sort="state"),
            Shown("why", _("Why you two"), why_lines, "list"),
            Shown("student_agreed_at", _("Agreed by the student"), lambda p: p.student_agreed_at, "moment"),
            Shown("companion_agreed_at", _("Agreed by the companion"), lambda p: p.companion_agreed_at, "moment"),
            Shown("addresses", _("Addresses"), lambda p: [p.participation.student.email, p.companion.person.email] if p.state == "agreed" else [], "list"),
            Shown("preparation", _("Preparation for a mobility"), lambda p: preparation_ref(p.participation.preparation), "ref"),
            Shown("because", _("Reason"), lambda p: p.because, "long_text"),
        ),
        filters=(state_filter(PAIRING_STATES),), related=("participation__student", "participation__preparation", "companion__person", "companion__organisation"), states=PAIRING_STATES,
    )
)  # fmt: skip

def _open_conditions(mobility: Mobility) -> list[Any]:
    found = PreparationRequirement.objects.filter(mobility=mobility, kind="condition", state=RequirementState.OPEN)
    return [each.preparation.title for each in found.select_related("preparation")]


conditions_open.append(_open_conditions)

PREPARATION_REQUIREMENT = resource(
    Resource(
        "preparation_requirement", "preparation-requirements", PreparationRequirement, _("Preparation asked for"), _("Preparations asked for"),
        lambda r: f"{r.mobility.student.name} · {title_of(r.preparation)}",
        fields=(
            Shown("student", _("Student"), lambda r: r.mobility.student.name, listed=True, sort="mobility__student__folded"),
            Shown("preparation", _("Preparation for a mobility"), lambda r: preparation_ref(r.preparation), "ref", listed=True),
            Shown("mobility", _("Mobility"), lambda r: mobility_ref(r.mobility), "ref"),
            Shown("kind", _("Kind"), lambda r: r.kind, listed=True, sort="kind", words=KIND_LABELS),
            Shown("state", _("State"), lambda r: r.state, "state", listed=True, sort="state"),
            Shown("due_on", _("Until"), lambda r: r.due_on, "date", listed=True, sort="due_on"),
            Shown("because", _("Why"), lambda r: r.because, "long_text"),
            Shown("answer", _("Why it was waived"), lambda r: r.answer, "long_text"),
            Shown("decided_at", _("Decided"), lambda r: r.decided_at, "moment"),
        ),
        filters=(state_filter(REQUIREMENT_STATES), Filter("kind", _("Kind"), lambda found, value: found.filter(kind=value), choices=lambda _actor: [(kind, str(label)) for kind, label in KIND_LABELS.items()])),
        order="due_on", related=("mobility__student", "mobility__host", "preparation"), states=REQUIREMENT_STATES,
    )
)  # fmt: skip
