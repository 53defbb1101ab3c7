"""From an award to an Open Badges 3.0 credential: every fact comes from the award that was kept when it was requested."""

from datetime import datetime
from uuid import uuid4

from django.utils import translation
from django.utils.translation import gettext as _

from vsm.exchange.credentials import addresses
from vsm.exchange.credentials.awards import Award
from vsm.exchange.credentials.badge import ISCED_F, midday, tag
from vsm.exchange.credentials.models import Credential as Record
from vsm.kit.localized import LANGUAGES, text_and_language, text_in
from vsm.rulebook import credit_system
from vsm.standards.open_badges.model import (
    Achievement,
    Alignment,
    Credential,
    Edition,
    Identifier,
    Identity,
    Issuer,
    Learner,
    Result,
    ResultDescription,
    StatusEntry,
)


def award_badge(record: Record, *, base: str, issuer: str, status: StatusEntry, now: datetime) -> Credential:
    """The unsigned credential of an award. `issuer` is the issuer's address; `now` is the moment of issue."""
    del base  # an award has no public page of its own
    award = Award.from_json(record.award)
    title, language = text_and_language(award.title, award.language)
    with translation.override(language if language in LANGUAGES else "en"):
        issued = now.replace(microsecond=0)
        awarded = midday(award.ended.isoformat()) if award.ended else None
        described = _results(award, language)
        return Credential(
            id=f"urn:uuid:{record.pk}",
            issuer=_issuer(record, issuer, language),
            learner=Learner(
                f"urn:uuid:{uuid4()}",
                (Identity(record.person.name, "name"), Identity.concealed(record.person.email, "emailAddress")),
            ),
            achievement=_achievement(award, title, language, described, _issuer(record, issuer, language)),
            valid_from=issued,
            awarded=min(awarded, issued) if awarded else None,
            name=title,
            description=text_in(award.description, language),
            results=tuple(Result(description.id, value=value) for description, value in described),
            credits_earned=None if award.credits is None else float(award.credits),
            started=midday(award.started.isoformat()) if award.started else None,
            ended=awarded,
            status=(status,),
        )


def _issuer(record: Record, address: str, language: str) -> Issuer:
    organisation = record.organisation
    registers = ((organisation.schac, "ext:schac"), (organisation.ror, "ext:ror"))
    return Issuer(
        id=address,
        name=text_in(organisation.name, language),
        identifiers=tuple(Identifier(value, kind) for value, kind in registers if value),
    )


def _achievement(award: Award, title: str, language: str, described: list[tuple[ResultDescription, str]], creator: Issuer) -> Achievement:
    field = award.isced_f
    return Achievement(
        id=addresses.award(*award.source, tag(language)),
        name=title,
        description=text_in(award.description, language),
        criteria=text_in(award.criteria, language),
        type=award.kind,
        language=tag(language),
        field_of_study=f"ISCED-F {field}" if field else "",
        credits_available=None if award.credits is None else float(award.credits),
        creator=creator,
        alignments=(Alignment(f"ISCED-F 2013: {field}", ISCED_F + field, field, "ISCED-F 2013"),) if field else (),
        results=tuple(description for description, _value in described),
        editions=tuple(
            Edition(addresses.award(*award.source, tag(other)), tag(other), text)
            for other, text in sorted(award.title.items())
            if text and other != language
        ),
    )


def _results(award: Award, language: str) -> list[tuple[ResultDescription, str]]:
    """What was measured: credits, hours, and whatever the award names."""
    told = [(text_in(name, language), "Result", value) for name, value in award.results]
    if award.credits is not None:
        told.append((text_in(credit_system(award.credit_system).name, language), "ext:Credits", str(award.credits)))
    if award.hours is not None:
        told.append((_("Hours of work"), "ext:Hours", str(award.hours)))
    return [
        (ResultDescription(addresses.award(*award.source, f"result-{number}"), name, kind), value)
        for number, (name, kind, value) in enumerate(told, start=1)
    ]
