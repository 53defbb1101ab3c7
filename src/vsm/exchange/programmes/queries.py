"""What doors read about programmes: their tables of fields, filters and related lists."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vsm import rulebook
from vsm.exchange.catalogue import labels
from vsm.exchange.catalogue.queries import offering_ref, opportunity_ref
from vsm.exchange.institutions.queries import name_of, organisation_ref
from vsm.exchange.people.queries import language_level_told, language_levels, languages_told
from vsm.exchange.programmes.facts import HOLDING, free_places, phase_of
from vsm.exchange.programmes.models import (
    Admission,
    AdmissionDocument,
    AwardRecognition,
    Condition,
    Conferral,
    Intake,
    Interruption,
    ModuleAttempt,
    Programme,
    Study,
    TermEnrolment,
)
from vsm.exchange.programmes.rules import DOCUMENT_WORDS, LEVEL_WORDS, WAY_WORDS, as_requirements
from vsm.exchange.programmes.states import IntakeState
from vsm.exchange.recognition.grades import convert
from vsm.kit import clock
from vsm.kit.errors import VsmError
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter
from vsm.kit.saying import shown
from vsm.rulebook.programmes import convention, conventions, criteria

PROGRAMME_STATES = {"draft": (_("Draft"), "neutral"), "published": (pgettext_lazy("programme", "Published"), "good"), "closed": (_("Closed to new students"), "neutral")}
INTAKE_STATES = {"planned": (pgettext_lazy("intake", "Planned"), "neutral"), "published": (pgettext_lazy("intake", "Published"), "good"), "cancelled": (pgettext_lazy("intake", "Cancelled"), "bad")}
INTAKE_PHASES = {
    "planned": (_("Planned"), "neutral"), "coming": (_("Coming soon"), "info"), "applying": (_("Open for applications"), "good"),
    "deciding": (_("Places are being given"), "info"), "started": (_("Started"), "neutral"), "cancelled": (_("Cancelled"), "bad"),
}  # fmt: skip
ADMISSION_STATES = {
    "draft": (_("Being prepared"), "neutral"),
    "submitted": (_("Handed in"), "info"),
    "waiting": (_("On the waiting list"), "info"),
    "offered": (_("Place offered"), "warn"),
    "accepted": (_("Accepted, conditions open"), "warn"),
    "admitted": (_("Admitted"), "good"),
    "declined": (_("Declined by the student"), "neutral"),
    "expired": (_("Offer expired"), "neutral"),
    "refused": (_("Refused"), "bad"),
    "lapsed": (_("A condition was not met"), "bad"),
    "withdrawn": (_("Withdrawn"), "neutral"),
}
DOCUMENT_STATES = {
    "received": (_("Received"), "info"),
    "verified": (_("Verified"), "good"),
    "queried": (_("Queried"), "warn"),
    "refused": (pgettext_lazy("admission_document", "Refused"), "bad"),
    "replaced": (_("Replaced"), "neutral"),
}
CONDITION_STATES = {"open": (_("Still open"), "warn"), "met": (_("Met"), "good"), "waived": (_("Waived"), "good"), "failed": (_("Not met"), "bad")}
STUDY_STATES = {
    "active": (_("Studying"), "good"),
    "interrupted": (_("Interrupted"), "warn"),
    "awarded": (pgettext_lazy("study", "Awarded"), "good"),
    "withdrawn": (pgettext_lazy("study", "Left"), "neutral"),
    "ended": (_("Ended by the institution"), "bad"),
}
TERM_STATES = {"enrolled": (pgettext_lazy("in a term", "Enrolled"), "good"), "finished": (pgettext_lazy("term_enrolment", "Finished"), "neutral"), "cancelled": (pgettext_lazy("term_enrolment", "Cancelled"), "bad")}
ATTEMPT_STATES = {"taking": (_("Being taken"), "info"), "passed": (_("Passed"), "good"), "failed": (_("Not passed"), "bad"), "dropped": (pgettext_lazy("module_attempt", "Dropped"), "neutral")}
INTERRUPTION_STATES = {
    "asked": (pgettext_lazy("interruption", "Asked for"), "warn"), "approved": (_("Approved"), "good"), "refused": (_("Refused"), "bad"), "called_off": (_("Called off"), "neutral"),
    "ended": (pgettext_lazy("interruption", "Ended"), "neutral"),
}  # fmt: skip
CONFERRAL_STATES = {"conferred": (_("Conferred"), "good"), "withdrawn": (pgettext_lazy("conferral", "Withdrawn"), "bad")}
RECOGNITION_STATES = {
    "asked": (_("To be decided"), "info"),
    "more_asked": (_("Information missing"), "warn"),
    "full": (_("Recognised in full"), "good"),
    "partial": (_("Recognised in part"), "warn"),
    "refused": (pgettext_lazy("award_recognition", "Not recognised"), "bad"),
}
PAUSE_REASONS = {"health": _("Health"), "family": _("Family and care"), "work": _("Work"), "money": _("Money"), "service": _("Civil or military service"), "other": _("Another reason")}
PURPOSES = {"further-study": _("Further study"), "title": _("Use of the title"), "employment": _("Work")}
FINDINGS = {
    "not-assessed": _("Not assessed yet"),
    "no-difference": _("No difference that matters"),
    "difference": _("A difference, not substantial"),
    "substantial": _("A substantial difference"),
}


def title_of(programme: Any) -> str:
    return labels.in_reader(programme.opportunity.title)


def programme_ref(programme: Any) -> Ref:
    return Ref("programme", programme.pk, title_of(programme))


def intake_title(intake: Any) -> str:
    return f"{title_of(intake.programme)} · {intake.code}"


def offerings_open(now: datetime) -> Any:
    """The offerings whose intake takes applications now: the catalogue marks them as open."""
    return Intake.objects.filter(state=IntakeState.PUBLISHED, opens_at__lte=now, closes_at__gt=now).values("offering_id")


def intake_ref(intake: Any) -> Ref:
    return Ref("intake", intake.pk, intake_title(intake))


def admission_title(admission: Any) -> str:
    return f"{admission.student.name} · {title_of(admission.intake.programme)}"


def average_label(admission: Any) -> str:
    """The applicant's average with the name of its scale, and what it comes to on the scale of the programme."""
    if not admission.prior_grade:
        return ""
    told = f"{admission.prior_grade} ({scale_label(admission.prior_grade_scale)})"
    programme = admission.intake.programme
    here = as_requirements(programme.requirements).grade_scale or programme.organisation.grade_scale
    if here == admission.prior_grade_scale:
        return told
    try:
        return _now("%(grade)s, here %(here)s") % {"grade": told, "here": convert(admission.prior_grade, admission.prior_grade_scale, here, clock.now().date()).value}
    except VsmError:
        return told


def study_title(study: Any) -> str:
    return f"{study.student.name} · {title_of(study.programme)}"


def study_ref(study: Any) -> Ref:
    return Ref("study", study.pk, study_title(study))


def recognition_title(recognition: Any) -> str:
    return f"{recognition.conferral.study.student.name} · {name_of(recognition.home)}"


def module_title(module: Any) -> str:
    return f"{module.code} {labels.in_reader(module.title)}"


def document_title(document: Any) -> str:
    return f"{_now(DOCUMENT_WORDS[document.kind])} · {document.admission.student.name}"


def convention_label(slug: str) -> str:
    found = convention(slug)
    return labels.in_reader(found.name) if found else ""


def convention_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(each.slug, labels.in_reader(each.name)) for each in conventions()]


def criterion_label(slug: str) -> str:
    return next((labels.in_reader(each.name) for each in criteria() if each.slug == slug), slug)


def scale_label(slug: str) -> str:
    """The name of a grade scale in the reader's language; the code itself when the rulebook does not know it."""
    return next((labels.in_reader(each.name) for each in rulebook.grade_scales() if each.slug == slug), slug)


def choices(words: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A table of words as options; a word marked with `N_` is translated here."""
    return [(value, _now(label) if isinstance(label, str) else str(label)) for value, label in words.items()]


def requirement_lines(programme: Programme) -> list[str]:
    """What a programme asks for, as sentences in the reader's language."""
    wanted = as_requirements(programme.requirements)
    lines = []
    if wanted.level:
        lines.append(_now("Prior qualification: %(level)s or above") % {"level": _now(LEVEL_WORDS[wanted.level])})
    if wanted.fields:
        lines.append(_now("Its field (ISCED-F): %(fields)s") % {"fields": ", ".join(labels.field_label(each) for each in wanted.fields)})
    if wanted.grade:
        lines.append(_now("Average of at least %(grade)s (%(scale)s); grades of other scales are converted") % {"grade": wanted.grade, "scale": scale_label(wanted.grade_scale)})
    lines += languages_told(wanted.languages)
    lines += [_now(DOCUMENT_WORDS[kind]) for kind in wanted.documents]
    return lines


def _filter_programme(path: str) -> Filter:
    return Filter(
        "programme", _("Programme"), lambda found, value: found.filter(**{path: value}),
        choices=lambda actor: [(str(each.pk), title_of(each)) for each in Programme.objects.visible_to(actor).select_related("opportunity")[:200]],
    )  # fmt: skip


PROGRAMME = resource(
    Resource(
        "programme", "programmes", Programme, _("Programme"), _("Programmes"), title_of,
        fields=(
            Shown("title", _("Title"), lambda p: p.opportunity.title, "localized", detail=False),
            Shown("award_title", _("Award"), lambda p: p.award_title, "localized", listed=True),
            Shown("organisation", _("Institution"), lambda p: organisation_ref(p.organisation), "ref", listed=True, sort="organisation__schac"),
            Shown("state", _("State"), lambda p: p.state, "state", listed=True, sort="state"),
            Shown("level", _("Level"), lambda p: p.opportunity.level, listed=True, sort="opportunity__level", words=labels.LEVEL_LABELS),
            Shown("credits", _("Credits"), lambda p: p.opportunity.credits, "number", listed=True, sort="opportunity__credits"),
            Shown("credit_system", _("Credit system"), lambda p: p.opportunity.credit_system, words=labels.credit_system_label),
            Shown("language", _("Language of teaching"), lambda p: p.opportunity.language, "language", listed=True, sort="opportunity__language"),
            Shown("requirements", _("What is asked for"), requirement_lines, "list", detail=False),
            Shown("months", _("Planned duration in months"), lambda p: p.months, "integer", sort="months"),
            Shown("longest_months", _("Longest duration in months, without interruptions"), lambda p: p.longest_months, "integer"),
            Shown("term_credits_low", _("Least credits in a term"), lambda p: p.term_credits_low, "number"),
            Shown("term_credits_high", _("Most credits in a term"), lambda p: p.term_credits_high, "number"),
            Shown("late_days", _("Days for late enrolment"), lambda p: p.late_days, "integer"),
            Shown("attempts", _("Most attempts at one module"), lambda p: p.attempts, "integer"),
            Shown("pause_months", _("Longest interruption in all, in months"), lambda p: p.pause_months, "integer"),
            Shown("opportunity", _("In the catalogue"), lambda p: opportunity_ref(p.opportunity), "ref"),
        ),
        filters=(
            state_filter(PROGRAMME_STATES),
            Filter("level", _("Level"), lambda found, value: found.filter(opportunity__level=value), choices=lambda _actor: labels.choices_of(labels.LEVEL_LABELS)),
            Filter("language", _("Language of teaching"), lambda found, value: found.filter(opportunity__language=value), choices=lambda _actor: [(code, labels.language_label(code)) for code in ("es", "pt-br", "en", "fr")]),
        ),
        order="opportunity__code", related=("opportunity__organisation", "organisation"), prefetch=("groups", "modules"),
        sections=(Section(_("Intakes"), "intake", lambda p: {"programme": p}), Section(_("Students"), "study", lambda p: {"programme": p})),
        states=PROGRAMME_STATES, empty=_("A programme begins as an opportunity of the catalogue; its page offers to describe it."),
    )
)  # fmt: skip

INTAKE = resource(
    Resource(
        "intake", "intakes", Intake, _("Intake"), _("Intakes"), intake_title,
        fields=(
            Shown("code", _("Intake"), intake_title, listed=True, sort="programme__opportunity__code", detail=False),
            Shown("programme", _("Programme"), lambda i: programme_ref(i.programme), "ref", sort="programme__opportunity__code"),
            Shown("organisation", _("Institution"), lambda i: organisation_ref(i.programme.organisation), "ref", listed=True, sort="programme__organisation__schac"),
            Shown("phase", _("Phase"), lambda i: phase_of(i, clock.now()), listed=True, words=lambda code: INTAKE_PHASES[code][0]),
            Shown("state", _("State"), lambda i: i.state, "state"),
            Shown("starts_on", _("Starts"), lambda i: i.starts_on, "date", listed=True, sort="starts_on"),
            Shown("opens_at", _("Applications open"), lambda i: i.opens_at, "moment", sort="opens_at"),
            Shown("closes_at", _("Applications close"), lambda i: i.closes_at, "moment", listed=True, sort="closes_at"),
            Shown("decide_by", _("Decisions until"), lambda i: i.decide_by, "moment", sort="decide_by"),
            Shown("zone", _("Time zone"), lambda i: i.zone, "zone"),
            Shown("places", _("Places"), lambda i: i.places, "integer", listed=True, sort="places"),
            Shown("free", _("Places free"), free_places, "integer"),
            Shown("respond_days", _("Days to answer an offer"), lambda i: i.respond_days, "integer"),
            Shown("offering", _("In the catalogue"), lambda i: offering_ref(i.offering), "ref"),
        ),
        filters=(state_filter(INTAKE_STATES), _filter_programme("programme")),
        order="-starts_on", related=("programme__opportunity", "programme__organisation", "offering__opportunity"),
        prefetch=(Prefetch("admissions", Admission.objects.filter(state__in=HOLDING).only("pk", "intake"), to_attr="holding"),),
        states=INTAKE_STATES,
    )
)  # fmt: skip

ADMISSION = resource(
    Resource(
        "admission", "admissions", Admission, _("Application for admission"), _("Applications for admission"), admission_title,
        fields=(
            Shown("student", _("Student"), lambda a: a.student.name, listed=True, sort="student__folded"),
            Shown("intake", _("Intake"), lambda a: intake_ref(a.intake), "ref", listed=True, sort="intake__starts_on"),
            Shown("state", _("State"), lambda a: a.state, "state", listed=True, sort="state"),
            Shown("rank", _("Place in the ranking"), lambda a: a.rank, "integer", listed=True, sort="rank"),
            Shown("rank_because", _("Why this place"), lambda a: a.rank_because),
            Shown("submitted_at", _("Handed in"), lambda a: a.submitted_at, "moment", listed=True, sort="submitted_at"),
            Shown("respond_by", _("Answer until"), lambda a: a.respond_by, "moment", sort="respond_by"),
            Shown("because", _("Reason of the decision"), lambda a: a.because, "long_text"),
            Shown("decided_at", _("Decided"), lambda a: a.decided_at, "moment"),
            Shown("prior_level", _("Prior qualification"), lambda a: a.prior_level, words=LEVEL_WORDS),
            Shown("prior_title", _("Its title"), lambda a: a.prior_title),
            Shown("prior_isced_f", _("Its field (ISCED-F)"), lambda a: a.prior_isced_f, words=labels.field_label),
            Shown("prior_institution", _("Awarded by"), lambda a: a.prior_institution),
            Shown("prior_country", _("Country"), lambda a: a.prior_country, "country"),
            Shown("prior_completed_on", _("Awarded on"), lambda a: a.prior_completed_on, "date"),
            Shown("prior_grade", _("Average"), lambda a: a.prior_grade),
            Shown("prior_grade_scale", _("Grade scale"), lambda a: a.prior_grade_scale, words=scale_label),
            Shown("languages", _("Languages (CEFR)"), lambda a: language_levels(a.languages), "list", words=language_level_told),
            Shown("motivation", _("Motivation"), lambda a: a.motivation, "long_text"),
            Shown("home", _("Home institution"), lambda a: organisation_ref(a.home) if a.home else None, "ref"),
        ),
        filters=(state_filter(ADMISSION_STATES), _filter_programme("intake__programme")),
        order="-created_at", related=("student", "intake__programme__opportunity", "intake__programme__organisation", "intake__offering", "home"),
        states=ADMISSION_STATES, empty=_("Apply from the page of an intake while it is open."),
    )
)  # fmt: skip

ADMISSION_DOCUMENT = resource(
    Resource(
        "admission_document", "admission-documents", AdmissionDocument, _("Document"), _("Documents of applicants"), document_title,
        fields=(
            Shown("kind", _("Kind"), lambda d: d.kind, listed=True, sort="kind", words=DOCUMENT_WORDS),
            Shown("state", _("State"), lambda d: d.state, "state", listed=True, sort="state"),
            Shown("name", _("File"), lambda d: d.name, listed=True, sort="name"),
            Shown("way", _("How it was checked"), lambda d: d.way, listed=True, words=WAY_WORDS),
            Shown("checked_by", _("Checked by"), lambda d: d.checked_by.name if d.checked_by else ""),
            Shown("checked_at", _("Checked"), lambda d: d.checked_at, "moment"),
            Shown("because", _("Remark"), lambda d: d.because, "long_text"),
            Shown("size", _("Size in bytes"), lambda d: d.size, "integer"),
            Shown("digest", _("Fingerprint of the file"), lambda d: d.digest, "digest"),
            Shown("signed", _("What our verifier found"), lambda d: d.signed or None, "json", detail=False),
            Shown("admission", _("Application"), lambda d: Ref("admission", d.admission_id, admission_title(d.admission)), "ref"),
        ),
        filters=(state_filter(DOCUMENT_STATES), Filter("kind", _("Kind"), lambda found, value: found.filter(kind=value), choices=lambda _actor: choices(DOCUMENT_WORDS))),
        related=("admission__student", "admission__intake__programme__opportunity", "checked_by"), states=DOCUMENT_STATES,
    )
)  # fmt: skip

CONDITION = resource(
    Resource(
        "condition", "conditions", Condition, _("Condition"), _("Conditions of offers"), lambda c: f"{c.text} · {c.admission.student.name}",
        fields=(
            Shown("text", _("What is asked for"), lambda c: c.text, listed=True),
            Shown("state", _("State"), lambda c: c.state, "state", listed=True, sort="state"),
            Shown("evidence", _("What proves it"), lambda c: c.evidence, listed=True),
            Shown("due_on", _("Until"), lambda c: c.due_on, "date", listed=True, sort="due_on"),
            Shown("because", _("Reason"), lambda c: c.because, "long_text"),
            Shown("decided_at", _("Decided"), lambda c: c.decided_at, "moment"),
            Shown("decided_by", _("Decided by"), lambda c: c.decided_by.name if c.decided_by else ""),
            Shown("admission", _("Application"), lambda c: Ref("admission", c.admission_id, admission_title(c.admission)), "ref"),
        ),
        filters=(state_filter(CONDITION_STATES),), order="due_on",
        related=("admission__student", "admission__intake__programme__opportunity", "decided_by"), states=CONDITION_STATES,
    )
)  # fmt: skip

STUDY = resource(
    Resource(
        "study", "studies", Study, _("Course of study"), _("Courses of study"), study_title,
        fields=(
            Shown("student", _("Student"), lambda s: s.student.name, listed=True, sort="student__folded"),
            Shown("programme", _("Programme"), lambda s: programme_ref(s.programme), "ref", listed=True, sort="programme__opportunity__code"),
            Shown("state", _("State"), lambda s: s.state, "state", listed=True, sort="state"),
            Shown("number", _("Student number"), lambda s: s.number, listed=True, sort="number"),
            Shown("started_on", _("Starts"), lambda s: s.started_on, "date", listed=True, sort="started_on"),
            Shown("ended_on", _("Ended"), lambda s: s.ended_on, "date"),
            Shown("organisation", _("Institution"), lambda s: organisation_ref(s.programme.organisation), "ref"),
            Shown("home", _("Home institution"), lambda s: organisation_ref(s.home) if s.home else None, "ref"),
            Shown("extra_months", _("Months added to the longest duration"), lambda s: s.extra_months or None, "integer"),
            Shown("granted", _("Modules that may be tried once more"), lambda s: s.granted, "list"),
            Shown("because", _("Reason"), lambda s: s.because, "long_text"),
            Shown("admission", _("Application"), lambda s: Ref("admission", s.admission_id, s.number), "ref"),
        ),
        filters=(state_filter(STUDY_STATES), _filter_programme("programme")),
        order="-started_on", related=("student", "programme__opportunity", "programme__organisation", "home"), prefetch=("interruptions",),
        sections=(
            Section(_("Terms"), "term_enrolment", lambda s: {"study": s}),
            Section(_("Modules taken"), "module_attempt", lambda s: {"enrolment__study": s}),
            Section(_("Interruptions"), "interruption", lambda s: {"study": s}),
            Section(_("Awards"), "conferral", lambda s: {"study": s}),
        ),
        states=STUDY_STATES, empty=_("Studies begin when an offer is accepted and its conditions are met."),
    )
)  # fmt: skip

TERM_ENROLMENT = resource(
    Resource(
        "term_enrolment", "term-enrolments", TermEnrolment, _("Enrolment in a term"), _("Enrolments in terms"), lambda t: f"{t.term.code} · {t.study.student.name}",
        fields=(
            Shown("term", _("Term"), lambda t: t.term.code, listed=True, sort="term__starts_on"),
            Shown("student", _("Student"), lambda t: t.study.student.name, listed=True, sort="study__student__folded"),
            Shown("study", _("Course of study"), lambda t: study_ref(t.study), "ref"),
            Shown("state", _("State"), lambda t: t.state, "state", listed=True, sort="state"),
            Shown("starts_on", _("First day"), lambda t: t.term.starts_on, "date", listed=True),
            Shown("ends_on", _("Last day"), lambda t: t.term.ends_on, "date"),
            Shown("modules", _("Modules"), lambda t: [module_title(each.module) for each in t.attempts.all() if each.state != "dropped"], "list", listed=True),
            Shown("credits", _("Credits"), lambda t: sum((each.module.credits for each in t.attempts.all() if each.state != "dropped"), 0), "number", listed=True),
            Shown("enrolled_at", _("Enrolled"), lambda t: t.enrolled_at, "moment", listed=True, sort="enrolled_at"),
            Shown("late_because", _("Why late"), lambda t: t.late_because, "long_text"),
            Shown("because", _("Reason"), lambda t: t.because, "long_text"),
        ),
        filters=(state_filter(TERM_STATES), _filter_programme("study__programme")), order="-term__starts_on",
        related=("term", "study__student", "study__programme__opportunity"), prefetch=("attempts__module",), states=TERM_STATES,
    )
)  # fmt: skip

MODULE_ATTEMPT = resource(
    Resource(
        "module_attempt", "module-attempts", ModuleAttempt, _("Module taken"), _("Modules taken"), lambda a: f"{module_title(a.module)} · {a.enrolment.study.student.name}",
        fields=(
            Shown("module", _("Module"), lambda a: module_title(a.module), listed=True, sort="module__code"),
            Shown("term", _("Term"), lambda a: a.enrolment.term.code, listed=True, sort="enrolment__term__starts_on"),
            Shown("state", _("State"), lambda a: a.state, "state", listed=True, sort="state"),
            Shown("credits", _("Credits"), lambda a: a.module.credits, "number", listed=True, sort="module__credits"),
            Shown("grade", _("Grade"), lambda a: a.grade, listed=True),
            Shown("number", _("Attempt"), lambda a: a.number, "integer", listed=True, sort="number"),
            Shown("recorded_at", _("Result recorded"), lambda a: a.recorded_at, "moment"),
            Shown("enrolment", _("Enrolment in a term"), lambda a: Ref("term_enrolment", a.enrolment_id, a.enrolment.term.code), "ref"),
        ),
        filters=(state_filter(ATTEMPT_STATES), _filter_programme("enrolment__study__programme")), order="enrolment__number",
        related=("module", "enrolment__term", "enrolment__study__student"), states=ATTEMPT_STATES,
    )
)  # fmt: skip

INTERRUPTION = resource(
    Resource(
        "interruption", "interruptions", Interruption, _("Interruption"), _("Interruptions"), lambda i: f"{i.study.student.name} · {shown(i.starts_on)}",
        fields=(
            Shown("study", _("Course of study"), lambda i: study_ref(i.study), "ref", listed=True, sort="study__student__folded"),
            Shown("state", _("State"), lambda i: i.state, "state", listed=True, sort="state"),
            Shown("starts_on", _("From"), lambda i: i.starts_on, "date", listed=True, sort="starts_on"),
            Shown("returns_on", _("Planned return"), lambda i: i.returns_on, "date", listed=True, sort="returns_on"),
            Shown("returned_on", _("Returned"), lambda i: i.returned_on, "date", listed=True, sort="returned_on"),
            Shown("reason", _("Reason"), lambda i: i.reason, listed=True, sort="reason", words=PAUSE_REASONS),
            Shown("because", _("In the student’s words"), lambda i: i.because, "long_text"),
            Shown("answer", _("Answer"), lambda i: i.answer, "long_text"),
            Shown("decided_at", _("Decided"), lambda i: i.decided_at, "moment"),
        ),
        filters=(state_filter(INTERRUPTION_STATES), _filter_programme("study__programme")), order="-starts_on",
        related=("study__student", "study__programme__opportunity"), states=INTERRUPTION_STATES,
    )
)  # fmt: skip

CONFERRAL = resource(
    Resource(
        "conferral", "awards", Conferral, _("Award"), _("Awards"), lambda c: f"{labels.in_reader(c.title)} · {c.study.student.name}",
        fields=(
            Shown("number", _("Number"), lambda c: c.number, listed=True, sort="number"),
            Shown("holder", _("Holder"), lambda c: c.study.student.name, listed=True, sort="study__student__folded"),
            Shown("award", _("Award"), lambda c: c.title, "localized", listed=True),
            Shown("state", _("State"), lambda c: c.state, "state", listed=True, sort="state"),
            Shown("conferred_on", _("Conferred on"), lambda c: c.conferred_on, "date", listed=True, sort="conferred_on"),
            Shown("institution", _("Institution"), lambda c: organisation_ref(c.study.programme.organisation), "ref"),
            Shown("average", _("Average"), lambda c: c.average),
            Shown("distinction", _("Distinction"), lambda c: c.distinction),
            Shown("supplement", _("Diploma supplement"), lambda c: c.supplement, "json", detail=False),
            Shown("digest", _("Fingerprint of the supplement"), lambda c: c.digest, "digest"),
            Shown("because", _("Reason"), lambda c: c.because, "long_text"),
        ),
        filters=(state_filter(CONFERRAL_STATES), _filter_programme("study__programme")), order="-conferred_on",
        related=("study__student", "study__programme__opportunity", "study__programme__organisation"),
        sections=(Section(_("Recognition at home"), "award_recognition", lambda c: {"conferral": c}),), states=CONFERRAL_STATES,
    )
)  # fmt: skip

AWARD_RECOGNITION = resource(
    Resource(
        "award_recognition", "award-recognitions", AwardRecognition, _("Recognition of an award"), _("Recognition of awards"), recognition_title,
        fields=(
            Shown("holder", _("Holder"), lambda r: r.conferral.study.student.name, listed=True, sort="conferral__study__student__folded"),
            Shown("award", _("Award"), lambda r: Ref("conferral", r.conferral_id, labels.in_reader(r.conferral.title)), "ref", listed=True),
            Shown("home", _("Home institution"), lambda r: organisation_ref(r.home), "ref", sort="home__schac"),
            Shown("state", _("State"), lambda r: r.state, "state", listed=True, sort="state"),
            Shown("purpose", _("Purpose"), lambda r: r.purpose, listed=True, sort="purpose", words=PURPOSES),
            Shown("asked_at", _("Asked"), lambda r: r.asked_at, "moment", sort="asked_at"),
            Shown("decide_by", _("Decide until"), lambda r: r.decide_by, "date", listed=True, sort="decide_by"),
            Shown("home_title", _("Recognised as"), lambda r: r.home_title),
            Shown("findings", _("Evaluation"), lambda r: r.findings or None, "json", detail=False),
            Shown("convention", _("On the basis of"), lambda r: r.convention, words=convention_label),
            Shown("question", _("Question of home"), lambda r: r.question, "long_text"),
            Shown("answer", _("Answer"), lambda r: r.answer, "long_text"),
            Shown("because", _("Reason"), lambda r: r.because, "long_text"),
            Shown("advice", _("What can still be done"), lambda r: r.advice, "long_text"),
            Shown("appeal_text", _("Appeal"), lambda r: r.appeal_text, "long_text"),
            Shown("decided_at", _("Decided"), lambda r: r.decided_at, "moment"),
            Shown("decided_by", _("Decided by"), lambda r: r.decided_by.name if r.decided_by else ""),
        ),
        filters=(state_filter(RECOGNITION_STATES), Filter("purpose", _("Purpose"), lambda found, value: found.filter(purpose=value), choices=lambda _actor: choices(PURPOSES))),
        order="-asked_at", related=("conferral__study__student", "home", "decided_by"), states=RECOGNITION_STATES,
    )
)  # fmt: skip
