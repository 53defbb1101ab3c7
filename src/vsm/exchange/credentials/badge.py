"""From a line of a transcript to an Open Badges 3.0 credential: every fact comes from the frozen transcript.

The achievement is told in the language of the transcript, with its names in the other languages as editions. The
transcript is bound by the digest of its content, so that a grade cannot be changed on one without the other.
"""

import base64
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID, uuid4

from django.utils import translation
from django.utils.translation import gettext as _

from vsm.exchange.catalogue.models import Opportunity
from vsm.exchange.credentials import addresses
from vsm.exchange.credentials.models import Credential as Record
from vsm.exchange.recognition.models import Transcript
from vsm.exchange.recognition.transcript import Component, Content, Explained
from vsm.kit.localized import LANGUAGES, text_and_language, text_in
from vsm.standards.open_badges.model import (
    Achievement,
    Alignment,
    Credential,
    Edition,
    Evidence,
    Identifier,
    Identity,
    Issuer,
    Learner,
    RelatedResource,
    Result,
    ResultDescription,
    StatusEntry,
)

# The European Union's authority table gives each ISCED-F 2013 field an address of its own.
ISCED_F = "http://data.europa.eu/snb/isced-f/"


def title_of(content: Content, component: Component) -> tuple[str, str]:
    """The title in the language of the transcript if there is one, and the language it is really in."""
    title, language = text_and_language(component["title"], content["language"])
    return title or component["code"], language


def transcript_of(record: Record) -> Transcript:
    """The transcript that a course's credential certifies a line of."""
    if record.transcript is None:
        raise RuntimeError(f"credential {record.pk} certifies an award, not a course")
    return record.transcript


def component_of(record: Record) -> Component:
    """The line of the transcript that this credential is about."""
    content: Content = transcript_of(record).content
    return next(each for each in content["components"] if each["result_id"] == str(record.result_id))


def badge(record: Record, *, base: str, issuer: str, status: StatusEntry, now: datetime) -> Credential:
    """The unsigned credential. `base` is this site's address, `issuer` the issuer's; `now` is the moment of issue."""
    content: Content = transcript_of(record).content
    component = component_of(record)
    title, language = title_of(content, component)
    with translation.override(language if language in LANGUAGES else "en"):
        host = Issuer(
            id=issuer,
            name=text_in(content["host"]["name"], language),
            identifiers=tuple(
                Identifier(value, kind)
                for value, kind in ((content["host"]["schac"], "ext:schac"), (content["host"]["ror"], "ext:ror"))
                if value
            ),
        )
        issued = now.replace(microsecond=0)
        awarded = midday(component["decided_on"])
        return Credential(
            id=f"urn:uuid:{record.pk}",
            issuer=host,
            learner=Learner(
                # A fresh name for the person in each credential: two of them cannot be told to be the same person's.
                f"urn:uuid:{uuid4()}",
                (Identity(content["student"]["name"], "name"), Identity.concealed(record.person.email, "emailAddress")),
            ),
            achievement=_achievement(record, content, component, base, host),
            valid_from=issued,
            awarded=min(awarded, issued) if awarded else None,
            name=title,
            description=_summary(content, component, language),
            results=(
                Result(_described(base, component, "grade"), value=component["grade"], status="Completed"),
                Result(_described(base, component, "credits"), value=component["credits_earned"]),
            ),
            credits_earned=float(component["credits_earned"]),
            started=midday(component["starts_on"]),
            ended=midday(component["ends_on"]),
            status=(status,),
            evidence=(_evidence(record, content, base),),
            resources=tuple(_resources(record, base)),
        )


def _achievement(record: Record, content: Content, component: Component, base: str, host: Issuer) -> Achievement:
    title, language = title_of(content, component)
    opportunity = Opportunity.objects.get(offerings=UUID(component["offering_id"]))
    told, _language = text_and_language(opportunity.description, language)
    field = component["isced_f"]
    return Achievement(
        id=addresses.offering(base, component["offering_id"], tag(language)),
        name=title,
        description=told or _summary(content, component, language),
        criteria=_criteria(content, component, text_in(opportunity.learning_outcomes, language), language),
        type="Course",
        language=tag(language),
        code=component["code"],
        field_of_study=f"ISCED-F {field}" if field else "",
        credits_available=float(component["credits"]),
        creator=host,
        alignments=(Alignment(f"ISCED-F 2013: {field}", ISCED_F + field, field, "ISCED-F 2013"),) if field else (),
        results=(_grades(content, component, base, language), _credits(content, component, base, language)),
        editions=tuple(
            Edition(addresses.offering(base, component["offering_id"], tag(other)), tag(other), text)
            for other, text in sorted(component["title"].items())
            if text and other != language
        ),
    )


def _summary(content: Content, component: Component, language: str) -> str:
    text = _("A course of %(credits)s credits (%(system)s) at %(host)s, from %(starts)s to %(ends)s.")
    return text % {
        "credits": component["credits"],
        "system": text_in(_explained(content["credit_systems"], component["credit_system"])["name"], language),
        "host": text_in(content["host"]["name"], language),
        "starts": component["starts_on"],
        "ends": component["ends_on"],
    }


def _criteria(content: Content, component: Component, outcomes: str, language: str) -> str:
    scale = _explained(content["grade_scales"], component["scale"])
    facts = {**scale["facts"], "scale": text_in(scale["name"], language)}
    if facts.get("letters"):
        passing = _("Pass the course on the scale “%(scale)s” (letters with points, best first: %(letters)s).") % facts
    elif facts.get("pass"):
        passing = _("Pass the course: %(pass)s or better on the scale “%(scale)s” (%(worst)s to %(best)s).") % facts
    else:
        passing = _("Pass the course on the scale “%(scale)s”.") % facts
    return "\n\n".join(filter(None, (passing, outcomes)))


def _grades(content: Content, component: Component, base: str, language: str) -> ResultDescription:
    """The scale. On a scale of letters `allowed` runs from low to high, marks without rank first."""
    scale = _explained(content["grade_scales"], component["scale"])
    facts, name = scale["facts"], text_in(scale["name"], language) or component["scale"]
    ident = _described(base, component, "grade")
    if facts.get("letters"):
        ranked = [letter.partition(" (")[0] for letter in facts["letters"].split(", ")]
        unranked = [mark for mark in facts.get("unranked", "").split(", ") if mark]
        return ResultDescription(ident, name, "LetterGrade", allowed=(*unranked, *reversed(ranked)))
    if not facts.get("pass"):
        return ResultDescription(ident, name, "Result")
    low, high = sorted((facts["worst"], facts["best"]), key=Decimal)
    return ResultDescription(ident, name, "RawScore", minimum=low, maximum=high, required=facts["pass"])


def _credits(content: Content, component: Component, base: str, language: str) -> ResultDescription:
    system = _explained(content["credit_systems"], component["credit_system"])
    name = text_in(system["name"], language) or component["credit_system"]
    return ResultDescription(_described(base, component, "credits"), name, "ext:Credits", maximum=component["credits"])


def _evidence(record: Record, content: Content, base: str) -> Evidence:
    text = _("Transcript of records %(number)s, edition %(edition)s. SHA-256 of its content: %(digest)s.")
    return Evidence(
        id=addresses.transcript(base, transcript_of(record).pk, "evidence"),
        name=_("Transcript of records"),
        narrative=text % {**content, "digest": transcript_of(record).digest},
        genre="Transcript",
    )


def _resources(record: Record, base: str) -> list[RelatedResource]:
    transcript = transcript_of(record)
    digests = {"content": transcript.digest, "pdf": transcript.pdf_digest}
    types = {"content": "application/json", "pdf": "application/pdf"}
    return [
        RelatedResource(addresses.transcript(base, transcript.pk, part), _integrity(digest), types[part])
        for part, digest in digests.items()
        if digest
    ]


def _explained(entries: list[Explained], slug: str) -> Explained:
    """The host's scale or credit system as the transcript explains it; one it does not explain keeps its short name."""
    unknown: Explained = {"slug": slug, "name": {"en": slug}, "facts": {}, "source": ""}
    return next((entry for entry in entries if entry["slug"] == slug), unknown)


def _described(base: str, component: Component, what: str) -> str:
    return addresses.offering(base, component["offering_id"], what)


def _integrity(digest: str) -> str:
    """A SHA-256 in hexadecimal as Subresource Integrity writes it."""
    return "sha256-" + base64.b64encode(bytes.fromhex(digest)).decode()


def midday(day: str) -> datetime | None:
    """A day where the standard knows only moments: at noon in UTC it is the same day from UTC−12 to UTC+11.

    None when the transcript does not tell the day.
    """
    return datetime.combine(date.fromisoformat(day), time(12), UTC) if day else None


def tag(language: str) -> str:
    """`pt-br` as BCP 47 writes it: `pt-BR`."""
    first, _dash, region = language.partition("-")
    return f"{first}-{region.upper()}" if region else first
