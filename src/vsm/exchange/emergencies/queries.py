"""What doors read about emergencies: the nouns, the numbers of one emergency, and exposure by day."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue import labels
from vsm.exchange.emergencies.finding import overlapping, preview
from vsm.exchange.emergencies.models import Case, CoursePlan, Emergency, Run, Standing, Switch
from vsm.exchange.emergencies.rules import DAY, by_day
from vsm.exchange.emergencies.states import OVER, CaseState, Safety, State
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import country_choices, name_of, organisation_choices, organisation_ref
from vsm.exchange.mobilities.queries import known_places, mobility_ref
from vsm.exchange.people.queries import person_ref
from vsm.kit.actions import NOTED
from vsm.kit.actors import Actor
from vsm.kit.i18n import N_
from vsm.kit.localized import text_in
from vsm.kit.names import country_name
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter
from vsm.kit.saying import labelled

KIND_LABELS = {"travel": _("Travel restriction"), "health": _("Health"), "conflict": _("Conflict"), "disaster": _("Disaster")}
DIRECTION_LABELS = {"entering": _("Entering"), "leaving": _("Leaving"), "being": _("Being there")}
SITUATION_LABELS = {
    "there": _("is there"), "stranded": _("cannot come back"), "cannot_leave": _("cannot leave home"), "cannot_enter": _("cannot enter"),
}  # fmt: skip
STATES = {
    State.DRAFT.value: (_("Draft"), "neutral"),
    State.DECLARED.value: (_("Declared"), "bad"),
    State.LIFTED.value: (_("Lifted"), "good"),
    State.WITHDRAWN.value: (_("Withdrawn"), "neutral"),
}
CASE_STATES = {
    CaseState.FOUND.value: (_("Found"), "info"),
    CaseState.COVERED.value: (_("Looked after in another emergency"), "neutral"),
    CaseState.PROPOSED.value: (_("Answer awaited"), "warn"),
    CaseState.ACCEPTED.value: (_("Agreed"), "good"),
    CaseState.DEFERRED.value: (_("Stay deferred"), "info"),
    CaseState.STAYING.value: (_("Stays in person"), "warn"),
    CaseState.SWITCHED.value: (_("Online"), "good"),
    CaseState.FINISHING.value: (_("Finishes online"), "good"),
    CaseState.RETURNED.value: (_("In person again"), "good"),
    CaseState.RELEASED.value: (_("No longer concerned"), "neutral"),
}
SAFETY_STATES = {"help": (_("Needs help"), "bad"), "silent": (_("No word yet"), "warn"), "safe": (_("Safe"), "good")}
READINESS_LABELS = {
    "ready": (_("Runs online"), "good"), "confirmed": (_("Host goes on online"), "good"), "asked": (_("Host is asked"), "warn"),
    "unknown": (_("Not in the catalogue"), "warn"),
}  # fmt: skip
RUN_STATES = {"waiting": (_("Waiting"), "info"), "running": (_("Running"), "info"), "done": (pgettext_lazy("switch_run", "Done"), "good")}
RUN_KINDS = {
    "find": _("Find everybody concerned"), "propose": _("Propose to the students"), "remind": _("Remind the silent"),
    "carry_out": _("Carry out what students agreed to"), "countersign": _("Sign for our side"), "release": _("Let go who is no longer concerned"),
    "bring_back": _("Back to classes in person"),
}  # fmt: skip
NOTED |= {(Case.noun, kind): label for kind, label in RUN_KINDS.items()}  # what a run does with a case stands in its history
ADMITS_LABELS = {"yes": (_("Admits exchange students"), "good"), "limited": (_("Admits with limits"), "warn"), "no": (_("Admits nobody now"), "bad")}
ONLINE_LABELS = {"all": (_("All courses online"), "good"), "some": (_("Some courses online"), "good"), "none": (_("Nothing online"), "neutral")}
DRILL = {"drill": _("Drill")}
FORM_LABELS = {"online": _("The same course online"), "asynchronous": _("The same course in one’s own time"), "equivalent": _("An equivalent course")}
COUNT_LABELS = {
    "looked_at": N_("Stays looked at"), "cases": N_("New cases"), "students": N_("Students"), "courses": N_("Courses"),
    "covered": N_("Looked after in another emergency already"),
    "without_form": N_("Courses without an online form yet"), "asynchronous": N_("In one’s own time because of the clock"),
    "outdated": N_("Text changed meanwhile, asked again"), "complete": N_("Signed by all now"), "finish_online": N_("Finish online"),
    "letters": N_("Letters"), "letters_withheld": N_("Letters that a drill withheld"),
}  # fmt: skip


@dataclass(frozen=True)
class Exposure:
    """One day: how many stays are concerned, and how many students study online because of it."""

    day: date
    concerned: int
    online: int


def may_count(actor: Actor) -> bool:
    """Exposure is for offices: in a small emergency a number is a person."""
    return actor.is_system or actor.is_operator or bool(actor.organisations("coordinator", "registrar", "observer"))


def exposure(emergencies: Collection[Emergency], today: date) -> list[Exposure]:
    """By day, from the first restricted day to the last or today: stays concerned and students online, each once a day.

    Several emergencies together count a stay once, however many restrictions meet in it. An open end counts until today.
    """
    counted = [each for each in emergencies if each.declared_at and each.state != State.WITHDRAWN]
    if not counted:
        return []
    ends = {each.pk: each.last_day or today for each in counted}
    cases = Case.objects.filter(emergency__in=counted).values_list("emergency", "mobility", "affected_from", "affected_until", "mobility__ends_on")
    concerned = [(str(stay), begins, min(filter(None, [until, ends[emergency]]))) for emergency, stay, begins, until, _end in cases]
    first, last = min(each.starts_on for each in counted), max(max(ends.values()), _last_online(counted, today))
    online = [
        (str(stay), begins, back - DAY if back else min(stay_ends, today))
        for stay, begins, back, stay_ends in Switch.objects.filter(case__emergency__in=counted).values_list("case__mobility", "starts_on", "ended__on", "case__mobility__ends_on")
    ]  # fmt: skip
    last = min(last, first + timedelta(days=3 * 366))
    by_concern, by_form = by_day(concerned, first, last), by_day(online, first, last)
    return [Exposure(day, by_concern[day], by_form[day]) for day in by_concern]


def counts_of(emergency: Emergency, actor: Actor) -> dict[str, dict[str, int]]:
    """The actor's cases of an emergency by state and by safety, and the courses by readiness."""
    seen = Case.objects.visible_to(actor).filter(emergency=emergency)
    return {
        "state": dict(seen.values_list("state").annotate(n=Count("pk")).order_by()),
        "safety": dict(seen.exclude(~Q(safety=Safety.HELP), state__in=OVER).values_list("safety").annotate(n=Count("pk")).order_by()),
        "readiness": dict(CoursePlan.objects.visible_to(actor).filter(emergency=emergency, students__gt=0).values_list("readiness").annotate(n=Count("pk")).order_by()),
    }  # fmt: skip


def standing_of(organisations: Iterable[UUID]) -> dict[UUID, Standing]:
    """Institution → what it said last."""
    found: dict[UUID, Standing] = {}
    for standing in Standing.objects.filter(organisation__in=list(organisations)).order_by("created_at", "pk"):
        found[standing.organisation_id] = standing
    return found


def declared_in(organisation: Organisation, today: date) -> list[Emergency]:
    """Restrictions in force in earnest at an institution's place, for its public status."""
    found = Emergency.objects.filter(state=State.DECLARED, is_drill=False, starts_on__lte=today).filter(Q(ends_on=None) | Q(ends_on__gte=today))
    return [each for each in found if any(_names(place, organisation) for place in each.places)]


def known_names(countries: Collection[str]) -> dict[str, list[str]]:
    return {country: known_places(country) for country in countries}


def place_rows(emergency: Any) -> list[dict[str, str]]:
    return list(getattr(emergency, "places", None) or [])


def place_names(emergency: Emergency) -> list[str]:
    """The places in the reader's language."""
    language = get_language() or "en"
    ids = [place["institution"] for place in emergency.places if place["institution"]]
    institutions = {str(each.pk): name_of(each) for each in Organisation.objects.filter(pk__in=ids)} if ids else {}
    return [
        institutions.get(place["institution"], "—") if place["institution"] else ", ".join(filter(None, [place["region"], country_name(place["country"], language)]))
        for place in emergency.places
    ]  # fmt: skip


def situations_in_words(case: Case) -> list[str]:
    return [str(SITUATION_LABELS[each]) for each in case.situations]


def emergency_ref(emergency: Any) -> Ref:
    return Ref("emergency", emergency.pk, str(emergency))


def case_title(case: Any) -> str:
    return f"{case.student.name} · {case.emergency}"


def plan_title(plan: Any) -> str:
    return f"{plan.code} {text_in(plan.title, get_language() or 'en')} · {name_of(plan.host)}"


def form_words(alternative: dict[str, Any]) -> str:
    """An alternative of a plan in one line."""
    title = text_in(alternative["title"], get_language() or "en")
    host = text_in(alternative["taught_by"], get_language() or "en")
    return labelled(FORM_LABELS[alternative["kind"]], f"{alternative['code']} {title}") + (f" ({host})" if host else "")


def emergency_choices(actor: Actor) -> list[tuple[str, str]]:
    return [(str(each.pk), str(each)) for each in Emergency.objects.visible_to(actor).order_by("-starts_on")[:100]]


def _last_online(counted: Collection[Emergency], today: date) -> date:
    back = [each.return_on for each in counted if each.return_on]
    return min(max(back), today) if back else min(each.starts_on for each in counted)


def _names(place: dict[str, str], organisation: Organisation) -> bool:
    if place["institution"]:
        return place["institution"] == str(organisation.pk)
    return place["country"] == organisation.country and place["region"] in ("", organisation.city)


def choices_of(labels: Any) -> Any:
    """Choices from a table of labels, or of labels with tones, for an `Ask` or a filter."""
    return lambda *_asked: [(value, str(label[0] if isinstance(label, tuple) else label)) for value, label in labels.items()]


def _drill(record: Any) -> str:
    return "drill" if record.is_drill else ""


def _others(emergency: Emergency) -> list[dict[str, str]] | None:
    """Of a draft: what is declared already and meets it, so that a program reads it before it declares, as the page tells it."""
    if emergency.state != State.DRAFT:
        return None
    return [{"noun": each.noun, "id": str(each.pk), "title": str(each), "starts_on": each.starts_on.isoformat()} for each in overlapping(emergency)]


EMERGENCY = resource(
    Resource(
        "emergency", "emergencies", Emergency, _("Emergency"), _("Emergencies"), str,
        fields=(
            Shown("name", _("What happened"), lambda e: e.title, "localized", listed=True, sort="starts_on", detail=False),
            Shown("kind", _("Kind"), lambda e: e.kind, listed=True, sort="kind", words=KIND_LABELS),
            Shown("places", _("Places concerned"), place_names, "list"),
            Shown("directions", _("What is restricted"), lambda e: e.directions, "list", words=DIRECTION_LABELS),
            Shown("starts_on", _("First day"), lambda e: e.starts_on, "date", listed=True, sort="starts_on"),
            Shown("ends_on", _("Last day"), lambda e: e.last_day, "date", listed=True),
            Shown("declared_by", _("Declared by"), lambda e: organisation_ref(e.declared_by) if e.declared_by else None, "ref", listed=True),
            Shown("declared_at", _("Declared at"), lambda e: e.declared_at, "moment"),
            Shown("state", _("State"), lambda e: e.state, "state", listed=True, sort="state"),
            Shown("drill", _("Drill"), _drill, listed=True, sort="is_drill", words=DRILL),
            Shown("is_drill", _("Is a drill"), lambda e: e.is_drill, "bool", detail=False),
            Shown("safety", _("What people concerned should do"), lambda e: e.safety, "localized"),
            Shown("evidence", _("Evidence"), lambda e: e.evidence, "list"),
            Shown("nationalities", _("Only for these nationalities"), lambda e: e.nationalities, "countries"),
            Shown("residences", _("Only for residents of"), lambda e: e.residences, "countries"),
            Shown("lifted_on", _("First day without restriction"), lambda e: e.lifted_on, "date"),
            Shown("return_on", _("Classes in person again from"), lambda e: e.return_on, "date"),
            Shown("respond_days", _("Days to answer a proposal"), lambda e: e.respond_days, "integer"),
            Shown("found", _("Who would be found"), lambda e: asdict(preview(e)) if e.state == State.DRAFT else None, "json", detail=False, alone=True),
            Shown("others", _("Other restrictions meet this one"), _others, "json", detail=False, alone=True),
        ),
        filters=(
            state_filter(STATES),
            Filter("kind", _("Kind"), lambda found, value: found.filter(kind=value), choices=choices_of(KIND_LABELS)),
            Filter("drill", _("Drill"), lambda found, value: found.filter(is_drill=value == "yes"), choices=lambda _a: [("yes", str(_("yes"))), ("no", str(_("no")))]),
        ),
        order="-starts_on", related=("declared_by",), states=STATES, starts=(("hub", "declare_emergency"), ("organisation", "declare_emergency")),
        sections=(Section(_("Bulk work"), "switch_run", lambda e: {"emergency": e}),),
        empty=_("No emergency is declared. Prepare a declaration, or a drill, to see who would be found."),
    )
)  # fmt: skip

COURSE_PLAN = resource(
    Resource(
        "course_plan", "course-plans", CoursePlan, _("Course plan"), _("Course plans"), plan_title,
        fields=(
            Shown("code", _("Code"), lambda p: p.code, listed=True, sort="code"),
            Shown("course", _("Course in person"), lambda p: p.title, "localized", listed=True),
            Shown("host", _("Host institution"), lambda p: organisation_ref(p.host), "ref", listed=True, sort="host__schac"),
            Shown("emergency", _("Emergency"), lambda p: emergency_ref(p.emergency), "ref", listed=True, sort="emergency__starts_on"),
            Shown("students", _("Students concerned"), lambda p: p.students, "integer", listed=True, sort="students"),
            Shown("readiness", _("Online readiness"), lambda p: p.readiness, listed=True, sort="readiness", words=lambda code: READINESS_LABELS[code][0]),
            Shown("best", _("First choice"), lambda p: form_words(p.alternatives[0]) if p.alternatives else "", listed=True),
            Shown("alternatives", _("Alternatives, best first"), lambda p: [form_words(each) for each in p.alternatives], "list"),
            Shown("alternative_records", _("Alternatives, as records"), lambda p: p.alternatives, "json", detail=False),
        ),
        filters=(
            Filter("emergency", _("Emergency"), lambda found, value: found.filter(emergency=value), choices=emergency_choices),
            Filter("readiness", _("Online readiness"), lambda found, value: found.filter(readiness=value), choices=choices_of(READINESS_LABELS)),
            Filter("host", _("Host institution"), lambda found, value: found.filter(host=value), choices=lambda actor: organisation_choices(None, actor)),
        ),
        order="-students", related=("emergency", "host"), empty=_("Plans of courses are made when an emergency is declared."),
    )
)  # fmt: skip

EMERGENCY_CASE = resource(
    Resource(
        "emergency_case", "emergency-cases", Case, _("Student in an emergency"), _("Students in emergencies"), case_title,
        fields=(
            Shown("student", _("Student"), lambda c: person_ref(c.student), "ref", listed=True, sort="student__folded"),
            Shown("emergency", _("Emergency"), lambda c: emergency_ref(c.emergency), "ref", listed=True, sort="emergency__starts_on"),
            Shown("drill", _("Drill"), lambda c: _drill(c.emergency), words=DRILL),
            Shown("safety", _("How they are"), lambda c: c.safety, listed=True, sort="urgency", words=lambda code: SAFETY_STATES[code][0]),
            Shown("told_at", _("Told at"), lambda c: c.told_at, "moment"),
            Shown("situations", _("Situation"), lambda c: c.situations, "list", listed=True, words=SITUATION_LABELS),
            Shown("home", _("Home institution"), lambda c: organisation_ref(c.home), "ref", listed=True, sort="home__schac"),
            Shown("host", _("Host institution"), lambda c: organisation_ref(c.host), "ref", listed=True, sort="host__schac"),
            Shown("state", _("State"), lambda c: c.state, "state", listed=True, sort="state"),
            Shown("respond_by", _("Answer until"), lambda c: c.respond_by, "moment", listed=True, sort="respond_by"),
            Shown("answered_at", _("Answered at"), lambda c: c.answered_at, "moment"),
            Shown("because", _("What they said"), lambda c: c.because, "long_text"),
            Shown("affected_from", _("Concerned from"), lambda c: c.affected_from, "date"),
            Shown("affected_until", _("Concerned until"), lambda c: c.affected_until, "date"),
            Shown("mobility", _("Physical mobility"), lambda c: mobility_ref(c.mobility), "ref"),
            Shown("lines", _("Courses and their forms"), lambda c: c.lines, "json", detail=False),
            Shown("consent", _("Fingerprint of the text agreed to"), lambda c: c.consent, "digest"),
        ),
        filters=(
            state_filter(CASE_STATES),
            Filter("safety", _("How they are"), lambda found, value: found.filter(safety=value), choices=choices_of(SAFETY_STATES)),
            Filter("emergency", _("Emergency"), lambda found, value: found.filter(emergency=value), choices=emergency_choices),
            Filter("home", _("Home institution"), lambda found, value: found.filter(home=value), choices=lambda actor: organisation_choices(None, actor)),
            Filter("silent", _("Has not answered in time"), lambda found, value: found.filter(state=CaseState.PROPOSED, respond_by__lt=value), kind="date"),
        ),
        order="urgency", related=("emergency", "student", "home", "host", "mobility__student", "mobility__host"), states=CASE_STATES,
        sections=(Section(_("Courses online"), "switch", lambda c: {"case": c}),),
        empty=_("Nobody you see is concerned by an emergency."),
    )
)  # fmt: skip

SWITCH = resource(
    Resource(
        "switch", "switches", Switch, _("Switch to online"), _("Switches to online"), lambda s: f"{s.code} → {s.online_code} · {s.case.student.name}",
        fields=(
            Shown("student", _("Student"), lambda s: person_ref(s.case.student), "ref", listed=True, sort="case__student__folded"),
            Shown("code", _("Course in person"), lambda s: s.code, listed=True, sort="code"),
            Shown("online", _("Online as"), lambda s: s.online_title, "localized", listed=True),
            Shown("kind", _("Form"), lambda s: s.kind, words=FORM_LABELS),
            Shown("credits", _("Credits, unchanged"), lambda s: labels.credits_text(Decimal(s.credits), None, [], s.credit_system), listed=True),
            Shown("home_credits", _("Credits at home, unchanged"), lambda s: s.home_credits),
            Shown("starts_on", _("Online from"), lambda s: s.starts_on, "date", listed=True, sort="starts_on"),
            Shown("returned_on", _("In person again from"), lambda s: s.ended.on if hasattr(s, "ended") else None, "date", listed=True, sort="ended__on"),
            Shown("case", _("Student in an emergency"), lambda s: Ref("emergency_case", s.case_id, case_title(s.case)), "ref"),
            Shown("drill", _("Drill"), lambda s: _drill(s.case.emergency), words=DRILL),
            Shown("agreement_version", _("Version of the learning agreement"), lambda s: s.agreement_version or None, "integer"),
        ),
        filters=(
            Filter("emergency", _("Emergency"), lambda found, value: found.filter(case__emergency=value), choices=emergency_choices),
            Filter("kind", _("Form"), lambda found, value: found.filter(kind=value), choices=lambda _a: [(k, str(v)) for k, v in FORM_LABELS.items()]),
            Filter("online_on", _("Online on"), lambda found, value: found.filter(Q(ended=None) | Q(ended__on__gt=value), starts_on__lte=value), kind="date"),
        ),
        related=("case__student", "case__emergency", "ended"), empty=_("No course is online because of an emergency."),
    )
)  # fmt: skip

SWITCH_RUN = resource(
    Resource(
        "switch_run", "switch-runs", Run, _("Bulk work"), _("Bulk work"), lambda r: f"{RUN_KINDS[r.kind]} · {r.emergency}",
        fields=(
            Shown("kind", _("What"), lambda r: r.kind, listed=True, sort="kind", words=RUN_KINDS),
            Shown("emergency", _("Emergency"), lambda r: emergency_ref(r.emergency), "ref"),
            Shown("organisation", _("For"), lambda r: organisation_ref(r.organisation) if r.organisation else None, "ref"),
            Shown("state", _("State"), lambda r: r.state, "state", listed=True, sort="state"),
            Shown("progress", _("Done so far"), lambda r: r.progress, "integer", listed=True, sort="progress"),
            Shown("total", _("Of"), lambda r: r.total or None, "integer", listed=True),
            Shown("result", _("Result"), lambda r: [f"{_now(COUNT_LABELS[name])}: {number}" for name, number in r.counts.items() if name in COUNT_LABELS], "list", listed=True),
            Shown("counts", _("Counts"), lambda r: r.counts, "json", detail=False),
            Shown("started_at", _("Started at"), lambda r: r.created_at, "moment", listed=True, sort="created_at"),
            Shown("finished_at", _("Finished at"), lambda r: r.finished_at, "moment"),
        ),
        filters=(
            state_filter(RUN_STATES),
            Filter("kind", _("What"), lambda found, value: found.filter(kind=value), choices=choices_of(RUN_KINDS)),
            Filter("emergency", _("Emergency"), lambda found, value: found.filter(emergency=value), choices=emergency_choices),
        ),
        related=("emergency", "organisation"), states=RUN_STATES, empty=_("No bulk work has been started."),
    )
)  # fmt: skip

STANDING = resource(
    Resource(
        "standing", "standings", Standing, _("What an institution says"), _("What institutions say"), lambda s: str(s.organisation),
        fields=(
            Shown("organisation", _("Institution"), lambda s: organisation_ref(s.organisation), "ref", listed=True, sort="organisation__schac"),
            Shown("admits", _("In person"), lambda s: s.admits, listed=True, sort="admits", words=lambda code: ADMITS_LABELS[code][0]),
            Shown("online", _("Online"), lambda s: s.online, listed=True, sort="online", words=lambda code: ONLINE_LABELS[code][0]),
            Shown("since", _("Since"), lambda s: s.since, "date", listed=True, sort="since"),
            Shown("note", _("In a few words"), lambda s: s.note, "localized"),
            Shown("link", _("Link"), lambda s: s.link),
            Shown("said_at", _("Said at"), lambda s: s.created_at, "moment", listed=True, sort="created_at"),
        ),
        filters=(
            Filter("admits", _("In person"), lambda found, value: found.filter(admits=value), choices=choices_of(ADMITS_LABELS)),
            Filter("online", _("Online"), lambda found, value: found.filter(online=value), choices=choices_of(ONLINE_LABELS)),
            Filter("country", _("Country"), lambda found, value: found.filter(organisation__country=value), choices=country_choices),
        ),
        related=("organisation",), starts=(("organisation", "say_standing"),), empty=_("No institution has said anything yet."),
    )
)  # fmt: skip
