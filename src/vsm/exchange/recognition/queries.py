"""What doors and higher slices read about results, transcripts and the decisions of home."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from vsm import rulebook
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.catalogue.queries import course_filter
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of, organisation_ref
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.learning_agreements.rules import Party
from vsm.exchange.recognition.marking import Course, Standing
from vsm.exchange.recognition.models import Decision, Result, Transcript
from vsm.exchange.recognition.proposals import Signed
from vsm.exchange.recognition.states import DecisionState, ResultState, TranscriptState
from vsm.exchange.recognition.transcript import Component, Content, Institution, Outcome
from vsm.exchange.sessions.models import Enrolment
from vsm.exchange.sessions.states import State as EnrolmentState
from vsm.kit.actors import Actor
from vsm.kit.i18n import N_
from vsm.kit.localized import text_in
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter
from vsm.kit.verdict import Reason

# Results ------------------------------------------------------------------------------------------------------------


def current_results(offering: Offering) -> dict[UUID, Result]:
    """Enrolment → the result that counts now, provisional or final."""
    found = Result.objects.filter(enrolment__offering=offering).exclude(state=ResultState.SUPERSEDED)
    return {result.enrolment_id: result for result in found}


def graded_enrolments(offering: Offering, actor: Actor) -> list[Enrolment]:
    """Who can be given a result, by name, as far as this actor may see them."""
    open_ones = Enrolment.objects.visible_to(actor).filter(
        offering=offering, state__in=(EnrolmentState.ENROLLED, EnrolmentState.COMPLETED)
    )
    return list(open_ones.select_related("student__student_record", "home").order_by("student__name", "pk"))


def course_of(offering: Offering) -> Course:
    """How the host grades this offering."""
    opportunity = offering.opportunity
    return Course(
        scale=opportunity.organisation.grade_scale,
        credits=opportunity.credits,
        most=max(opportunity.credits, opportunity.credits_high or Decimal(0)),
    )


def standing_of(enrolment: Enrolment, result: Result | None) -> Standing:
    is_final = result is not None and result.state == ResultState.FINAL
    final = (result.grade, result.credits, result.remark) if result and is_final else None
    return Standing(state=enrolment.state, final=final)


def teaches(actor: Actor, offering: Offering) -> bool:
    """Whether the actor stands behind the grades of this offering: its own teachers and the host's offices."""
    host = offering.opportunity.organisation_id
    if actor.is_system or actor.holds("coordinator", host) or actor.holds("registrar", host):
        return True
    return actor.holds("instructor", host) and offering.instructors.filter(pk=actor.person_id).exists()


# Transcripts --------------------------------------------------------------------------------------------------------


def transcript_in_force(agreement: LearningAgreement) -> Transcript | None:
    return Transcript.objects.filter(agreement=agreement, state=TranscriptState.ISSUED).first()


def is_transcript_due(agreement: LearningAgreement) -> bool:
    """Whether a course has ended for the student and no transcript says so yet."""
    ended = Enrolment.objects.filter(learning_agreement_id=agreement.pk).exclude(state__in=[EnrolmentState.ENROLLED, EnrolmentState.DROPPED])
    return ended.exists() and transcript_in_force(agreement) is None


def enrolments_of(agreement: LearningAgreement) -> list[Enrolment]:
    """Every enrolment that this agreement led to, dropped ones too, in the order of their beginning."""
    found = Enrolment.objects.filter(learning_agreement_id=agreement.pk)
    return list(
        found.select_related("offering__opportunity__organisation", "offering__term").order_by(
            "offering__starts_on", "offering__opportunity__code", "pk"
        )
    )


def final_results(enrolments: list[Enrolment]) -> dict[UUID, Result]:
    return {
        result.enrolment_id: result
        for result in Result.objects.filter(enrolment__in=enrolments, state=ResultState.FINAL)
    }


def why_no_transcript(enrolments: list[Enrolment], finals: dict[UUID, Result]) -> Iterator[Reason]:
    """Everything that must still happen before a transcript can be issued."""
    told = [each for each in enrolments if each.state != EnrolmentState.DROPPED]
    if not told:
        yield Reason(
            "nothing-taken", N_("No course was taken under this learning agreement: there is nothing to certify.")
        )
    for each in told:
        title = {"title": each.offering.opportunity.title}
        if each.state == EnrolmentState.ENROLLED:
            text = N_(
                "%(title)s is still running for this student. Enter and confirm the result, or have the student withdraw."
            )
            yield Reason("still-enrolled", text, title)
        elif each.state == EnrolmentState.COMPLETED and each.pk not in finals:
            yield Reason("no-final-result", N_("%(title)s has no final result. Confirm it first."), title)


def component_of(enrolment: Enrolment, result: Result | None) -> Component:
    """One line of a transcript, from the records of today; `result` is None for a withdrawal."""
    offering, opportunity = enrolment.offering, enrolment.offering.opportunity
    outcome: Outcome = "withdrawn" if result is None else "passed" if result.passed else "failed"
    decided = enrolment.left_at if result is None else result.confirmed_at
    return {
        "enrolment_id": str(enrolment.pk),
        "result_id": str(result.pk) if result else "",
        "offering_id": str(offering.pk),
        "code": opportunity.code,
        "title": dict(opportunity.title),
        "language": opportunity.language,
        "level": opportunity.level,
        "isced_f": opportunity.isced_f,
        "starts_on": offering.starts_on.isoformat(),
        "ends_on": offering.ends_on.isoformat(),
        "workload_hours": "" if opportunity.workload_hours is None else str(opportunity.workload_hours),
        "credits": str(opportunity.credits),
        "credit_system": result.credit_system if result else opportunity.credit_system,
        "credits_earned": str(result.credits) if result else "",
        "outcome": outcome,
        "grade": result.grade if result else "W",
        "scale": result.scale if result else "",
        "decided_on": decided.astimezone(ZoneInfo(opportunity.organisation.zone)).date().isoformat() if decided else "",
        "remark": result.remark if result else "",
    }


def institution_of(organisation: Organisation) -> Institution:
    return {
        "name": dict(organisation.name),
        "schac": organisation.schac,
        "ror": organisation.ror,
        "country": organisation.country,
        "city": organisation.city,
    }


def content_of(transcript: Transcript) -> Content:
    """What it says, typed."""
    return cast(Content, transcript.content)


def signed_text(agreement: LearningAgreement) -> Signed:
    """What all three signed. A version counts as signed only when each signature names the digest of this very text."""
    version = agreement.version_in_force
    if version is None:
        return Signed(version=0, lines=(), is_signed=False)
    parties = {each.party for each in version.signatures.all() if each.digest == version.digest}
    is_signed = parties == {party.value for party in Party} and version.is_intact
    return Signed(version=version.number, lines=version.text.components, is_signed=is_signed)


# Decisions ----------------------------------------------------------------------------------------------------------


@dataclass
class Precedent:
    """How one home institution decided before on a host course counting for one of its own."""

    home_code: str
    home_title: str
    recognised: int = 0
    partly: int = 0
    refused: int = 0
    last_at: datetime | None = None
    last_because: str = ""
    last_state: str = ""

    @property
    def total(self) -> int:
        return self.recognised + self.partly + self.refused


@dataclass
class _Memory:
    found: dict[tuple[str, str], Precedent] = field(default_factory=dict)

    def add(self, decision: Decision) -> None:
        key = (decision.home_code, decision.home_title)
        precedent = self.found.setdefault(key, Precedent(*key))
        name = str(decision.state)
        setattr(precedent, name, getattr(precedent, name) + 1)
        if precedent.last_at is None:  # newest first
            precedent.last_at, precedent.last_because, precedent.last_state = (
                decision.decided_at,
                decision.because,
                name,
            )


def precedents(decision: Decision, actor: Actor) -> list[Precedent]:
    """What the same home has decided on the same host course, by the home course it counted for, most frequent first."""
    earlier = (
        Decision.objects.visible_to(actor)
        .filter(enrolment__home=decision.enrolment.home_id)
        .filter(enrolment__offering__opportunity=decision.enrolment.offering.opportunity_id)
        .exclude(state=DecisionState.PROPOSED)
        .exclude(pk=decision.pk)
        .order_by("-decided_at", "-pk")
    )
    memory = _Memory()
    for each in earlier:
        memory.add(each)
    return sorted(memory.found.values(), key=lambda precedent: -precedent.total)


def recognition_of(student_id: UUID, actor: Actor) -> list[dict[str, Any]]:
    """A student's courses with their result, transcript and home's decision, as far as the actor may see them."""
    enrolments = (
        Enrolment.objects.visible_to(actor)
        .filter(student_id=student_id)
        .exclude(state=EnrolmentState.DROPPED)
        .select_related("offering__opportunity__organisation")
        .order_by("-offering__starts_on", "pk")
    )
    results = {
        r.enrolment_id: r
        for r in Result.objects.visible_to(actor).filter(enrolment__in=enrolments, state=ResultState.FINAL)
    }
    decisions = {
        d.enrolment_id: d
        for d in Decision.objects.visible_to(actor).filter(enrolment__in=enrolments).select_related("enrolment__home")
    }
    transcripts: dict[UUID, Transcript] = {
        t.agreement_id: t
        for t in Transcript.objects.visible_to(actor).filter(student_id=student_id, state=TranscriptState.ISSUED)
    }
    return [
        {
            "enrolment": each,
            "result": results.get(each.pk),
            "transcript": transcripts.get(each.learning_agreement_id) if each.learning_agreement_id else None,
            "decision": decisions.get(each.pk),
        }
        for each in enrolments
    ]


# What doors show ----------------------------------------------------------------------------------------------------

RESULT_STATES = {
    "provisional": (_("Provisional"), "warn"),
    "final": (_("Final"), "good"),
    "superseded": (_("Corrected"), "neutral"),
}
TRANSCRIPT_STATES = {"issued": (pgettext_lazy("transcript", "Issued"), "good"), "superseded": (pgettext_lazy("transcript", "Replaced by a newer edition"), "neutral")}
DECISION_STATES = {
    "proposed": (_("To be decided"), "warn"),
    "recognised": (_("Recognised"), "good"),
    "partly": (_("Partly recognised"), "info"),
    "refused": (pgettext_lazy("decision", "Refused"), "bad"),
}


def scale_name(slug: str) -> str:
    return _named(rulebook.grade_scales(), slug)


def system_name(slug: str) -> str:
    return _named(rulebook.credit_systems(), slug)


def result_title(result: Any) -> str:
    return f"{result.enrolment.student.name} · {course_title(result.enrolment)}"


def course_title(enrolment: Any) -> str:
    return text_in(enrolment.offering.opportunity.title, get_language() or "en")


def transcript_title(transcript: Any) -> str:
    return f"{transcript.student.name} · {transcript.number} ({transcript.edition})"


def decision_title(decision: Any) -> str:
    return f"{decision.enrolment.student.name} · {course_title(decision.enrolment)}"


def _named(entries: Any, slug: str) -> str:
    """The entry's name in the reader's language; the slug itself where the rulebook does not know it."""
    return next((text_in(entry.name, get_language() or "en") for entry in entries if entry.slug == slug), slug)


def _student(record: Any) -> str:
    """Not a link: a list's first column leads to the record itself, and the host does not see another's people."""
    return str(record.enrolment.student.name)


def _enrolment_ref(record: Any) -> Ref:
    return Ref("enrolment", record.enrolment_id, course_title(record.enrolment))


def _offering_ref(record: Any) -> Ref:
    return Ref("offering", record.enrolment.offering_id, course_title(record.enrolment))


def _result_ref(result: Any) -> Ref | None:
    return Ref("result", result.pk, result.grade) if result else None


def _lines(transcript: Any) -> list[str]:
    language = get_language() or "en"
    return [
        f"{each['code']} {text_in(each['title'], language)} · {each['grade']} · {each['credits_earned'] or '0'}/{each['credits']}"
        for each in transcript.content["components"]
    ]


def _mine(*roles: str) -> Any:
    def choices(actor: Actor) -> list[tuple[str, str]]:
        found = (
            Organisation.objects.all()
            if actor.is_operator
            else Organisation.objects.filter(pk__in=actor.organisations(*roles))
        )
        return [(str(each.pk), name_of(each)) for each in found]

    return choices


def _by(column: str) -> Any:
    """A filter on an identifier; a value that is none finds nothing."""

    def apply(found: QuerySet[Any], value: str) -> QuerySet[Any]:
        try:
            return found.filter(**{column: UUID(value)})
        except ValueError:
            return found.none()

    return apply


def _yes_or_no(_actor: Actor) -> list[tuple[str, str]]:
    return [("yes", _now("Yes")), ("no", _now("No"))]


def _set(column: str) -> Any:
    return lambda found, value: found.filter(Q(**{f"{column}__isnull": value != "yes"}))


STAFF = ("coordinator", "registrar", "observer", "instructor")

RESULT = resource(
    Resource(
        "result", "results", Result, _("Result"), _("Results"), result_title,
        fields=(
            Shown("student", _("Student"), _student, listed=True, sort="enrolment__student__folded"),
            Shown("enrolment", _("Enrolment"), _enrolment_ref, "ref"),
            Shown("offering", _("Course"), _offering_ref, "ref", listed=True, sort="enrolment__offering__opportunity__code"),
            Shown("grade", _("Grade"), lambda r: r.grade, listed=True, sort="grade"),
            Shown("scale", _("Grade scale"), lambda r: r.scale, words=scale_name),
            Shown("passed", _("Passed"), lambda r: r.passed, "bool", listed=True, sort="passed"),
            Shown("credits", _("Credits earned"), lambda r: r.credits, "number", listed=True, sort="credits"),
            Shown("credit_system", _("Credit system"), lambda r: r.credit_system, words=system_name),
            Shown("state", _("State"), lambda r: r.state, "state", listed=True, sort="state"),
            Shown("confirmed_at", _("Final since"), lambda r: r.confirmed_at, "moment", listed=True, sort="confirmed_at"),
            Shown("remark", _("Remark on the transcript"), lambda r: r.remark, "long_text"),
            Shown("corrects", _("Corrects"), lambda r: _result_ref(r.corrects), "ref"),
            Shown("corrected_by", _("Corrected by"), lambda r: _result_ref(getattr(r, "corrected_by", None)), "ref"),
            Shown("because", _("Reason of the correction"), lambda r: r.because, "long_text"),
        ),
        filters=(
            state_filter(RESULT_STATES),
            Filter("passed", _("Passed"), lambda found, value: found.filter(passed=value == "yes"), choices=_yes_or_no),
            Filter("host", _("Host institution"), _by("enrolment__offering__opportunity__organisation_id"), choices=_mine(*STAFF)),
            course_filter("enrolment__offering"),
        ),
        related=("enrolment__student", "enrolment__offering__opportunity", "corrects", "corrected_by"),
        states=RESULT_STATES, empty=_("No result yet. Teachers enter them on the page of their course."),
    )
)  # fmt: skip

TRANSCRIPT = resource(
    Resource(
        "transcript", "transcripts", Transcript, _("Transcript of records"), _("Transcripts"), transcript_title,
        fields=(
            Shown("student", _("Student"), lambda t: t.student.name, listed=True, sort="student__folded"),
            Shown("number", _("Number"), lambda t: t.number, listed=True, sort="number"),
            Shown("edition", _("Edition"), lambda t: t.edition, "integer", listed=True, sort="edition"),
            Shown("home", _("Home institution"), lambda t: organisation_ref(t.home), "ref", listed=True, sort="home__schac"),
            Shown("host", _("Host institution"), lambda t: organisation_ref(t.host), "ref", listed=True, sort="host__schac"),
            Shown("issued_at", _("Issued"), lambda t: t.issued_at, "moment", listed=True, sort="issued_at"),
            Shown("state", _("State"), lambda t: t.state, "state", listed=True, sort="state"),
            Shown("outdated_since", _("Outdated since"), lambda t: t.outdated_since, "moment"),
            Shown("courses", _("Courses"), _lines, "list"),
            Shown("because", _("Reason of this edition"), lambda t: t.because, "long_text"),
            Shown("agreement", _("Learning agreement"), lambda t: Ref("learning_agreement", t.agreement_id, _now("Learning agreement")), "ref"),
            Shown("digest", _("Fingerprint of the content"), lambda t: t.digest, "digest"),
            Shown("pdf_digest", _("Fingerprint of the PDF"), lambda t: t.pdf_digest, "digest"),
        ),
        filters=(
            state_filter(TRANSCRIPT_STATES),
            Filter("outdated", _("Needs a new edition"), _set("outdated_since"), choices=_yes_or_no),
            Filter("host", _("Host institution"), _by("host_id"), choices=_mine("coordinator", "registrar")),
            Filter("home", _("Home institution"), _by("home_id"), choices=_mine("coordinator", "registrar")),
        ),
        order="-issued_at", related=("student", "home", "host"),
        sections=(
            Section(_("What home decided"), "decision", lambda t: {"transcript": t}),
            Section(_("Credentials"), "credential", lambda t: {"transcript": t}),
            Section(_("Editions"), "transcript", lambda t: {"host_id": t.host_id, "number": t.number}),
        ),
        starts=(), states=TRANSCRIPT_STATES,
        empty=_("No transcript yet. The host issues it from the learning agreement, once every result is final."),
    )
)  # fmt: skip

DECISION = resource(
    Resource(
        "decision", "decisions", Decision, _("Decision on recognition"), _("Recognition"), decision_title,
        fields=(
            Shown("student", _("Student"), _student, listed=True, sort="enrolment__student__folded"),
            Shown("enrolment", _("Enrolment"), _enrolment_ref, "ref"),
            Shown("offering", _("Course at the host"), _offering_ref, "ref", listed=True, sort="enrolment__offering__opportunity__code"),
            Shown("host", _("Host institution"), lambda d: organisation_ref(d.transcript.host), "ref"),
            Shown("home", _("Home institution"), lambda d: organisation_ref(d.enrolment.home), "ref"),
            Shown("result", _("Grade at the host"), lambda d: _result_ref(d.result), "ref"),
            Shown("home_course", _("Course at home"), lambda d: " ".join(filter(None, (d.home_code, d.home_title))), listed=True, sort="home_code"),
            Shown("home_credits", _("Credits at home"), lambda d: d.home_credits, "number", listed=True, sort="home_credits"),
            Shown("home_grade", _("Grade at home"), lambda d: d.home_grade, listed=True, sort="home_grade"),
            Shown("state", _("State"), lambda d: d.state, "state", listed=True, sort="state"),
            Shown("because", _("Reason"), lambda d: d.because, "long_text"),
            Shown("decided_at", _("Decided"), lambda d: d.decided_at, "moment", sort="decided_at"),
            Shown("decided_by", _("Decided by"), lambda d: d.decided_by.name if d.decided_by else ""),
            Shown("question", _("The student asks"), lambda d: d.question, "long_text"),
            Shown("questioned_at", _("Asked"), lambda d: d.questioned_at, "moment"),
            Shown("transcript", _("Transcript"), lambda d: Ref("transcript", d.transcript_id, f"{d.transcript.number} ({d.transcript.edition})"), "ref"),
            Shown("proposal", _("Proposal and its evidence"), lambda d: d.proposal, "json", detail=False),
        ),
        filters=(
            state_filter(DECISION_STATES),
            Filter("questioned", _("Reconsideration asked"), _set("questioned_at"), choices=_yes_or_no),
            Filter("home", _("Home institution"), _by("enrolment__home_id"), choices=_mine("coordinator", "registrar", "observer")),
            Filter("host", _("Host institution"), _by("transcript__host_id"), choices=_mine("registrar")),
        ),
        related=(
            "enrolment__student", "enrolment__home", "enrolment__offering__opportunity", "transcript__host", "result", "decided_by",
        ),
        states=DECISION_STATES, empty=_("Nothing to decide yet: decisions are prepared when a transcript arrives."),
    )
)  # fmt: skip
