"""A version as a page: the same facts for the screen and for the PDF, in the reader's language.

The text that was signed stays what it is; only its labels are translated, and titles appear in the reader's language
where the catalogue had one.
"""

from typing import Any

from django.utils import translation
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from vsm.exchange.learning_agreements.models import LearningAgreement, LearningAgreementVersion, Signature
from vsm.exchange.learning_agreements.rules import PARTY_WORDS, Component, Party
from vsm.kit import pdf
from vsm.kit.localized import text_in
from vsm.kit.names import language_name
from vsm.kit.saying import day_text, signed_at_text
from vsm.rulebook import credit_systems


def paper_of(version: LearningAgreementVersion) -> dict[str, Any]:
    """The facts of one version, as text, for a template."""
    text = version.text
    signatures = {each.party: each for each in version.signatures.all()}
    return {
        "number": version.number,
        "digest": version.digest,
        "is_intact": version.is_intact,
        "at": version.at,
        "because": version.because,
        "student": text.student["name"],
        "student_facts": ", ".join(filter(None, [text.student["number"], text.student["programme"]])),
        "home": _in(text.home["name"]),
        "host": _in(text.host["name"]),
        "lines": [_line(each, text.home["credit_system"]) for each in text.components],
        "signatures": [_signature(party.value, signatures.get(party.value)) for party in Party],
    }


def pdf_of(agreement: LearningAgreement, version: LearningAgreementVersion, language: str) -> bytes:
    """The version as an accessible PDF (PDF/UA) in one of the four languages."""
    with translation.override(language):
        paper = paper_of(version)
        data = {
            "language": language.split("-")[0],
            "region": language.partition("-")[2],
            "paper": {**paper, "at": signed_at_text(version.at)},
            "title": _("Learning agreement"),
            "labels": _labels(),
            "standing": _standing(agreement, version),
            "versions": [
                {"number": each.number, "at": signed_at_text(each.at), "digest": each.digest, "because": each.because}
                for each in agreement.versions.all()
            ],
        }
        return pdf.render("vsm.exchange.learning_agreements", "learning_agreement.typ", data)


def credit_system_name(slug: str) -> str:
    """The name of a credit system in the reader's language; the code itself when the rulebook does not know it."""
    return next((_in(entry.name) for entry in credit_systems() if entry.slug == slug), slug)


def _line(component: Component, home_system: str) -> dict[str, Any]:
    starts_on, ends_on = parse_date(component.starts_on), parse_date(component.ends_on)
    return {
        "offering": component.offering,
        "code": component.code,
        "title": " ".join(filter(None, [_in(component.title), f"({_in(component.taught_by)})" if component.taught_by else ""])),
        "credits": component.credits,
        "credit_system": credit_system_name(component.credit_system),
        "language": language_name(component.language, translation.get_language() or "en"),
        "dates": f"{day_text(starts_on)} – {day_text(ends_on)}" if starts_on and ends_on else "",
        "virtual": _("yes") if component.is_virtual else _("no"),
        "recognised": component.recognised,
        "home": " ".join(filter(None, [component.home_code, component.home_title])),
        "home_credits": component.home_credits,
        "home_credit_system": credit_system_name(home_system),
        "because": component.because,
    }


def _signature(party: str, signature: Signature | None) -> dict[str, str]:
    told = {"party": party, "side": _(PARTY_WORDS[party]).capitalize(), "name": "", "at": ""}
    if signature is None:
        return told
    return {**told, "name": signature.person.name, "at": signed_at_text(signature.at, signature.person.zone)}


def _standing(agreement: LearningAgreement, version: LearningAgreementVersion) -> str:
    if version.number == agreement.signed_version:
        return _("In force: signed by all three.")
    if version.number == agreement.current and agreement.signed_version:
        return _("Not in force yet: version %(number)s is, until all three have signed this one.") % {"number": agreement.signed_version}
    if version.number == agreement.current:
        return _("Not in force yet: all three have to sign it.")
    return _("An earlier version, kept for the record.")


def _labels() -> dict[str, str]:
    return {
        "version": _("Version"),
        "student": _("Student"),
        "home": _("Home institution"),
        "host": _("Host institution"),
        "courses": _("Courses"),
        "at_host": _("At the host"),
        "at_home": _("Recognised at home as"),
        "credits": _("credits"),
        "virtual": _("Virtual component"),
        "language": _("Language"),
        "not_recognised": _("Not recognised"),
        "open": _("Not settled yet"),
        "signatures": _("Signatures"),
        "side": _("Side"),
        "name": _("Name"),
        "signed_at": _("Signed at"),
        "not_signed": _("not signed"),
        "versions": _("Versions"),
        "made_at": _("Written at"),
        "because": _("Why"),
        "fingerprint": _("Fingerprint (SHA-256 of the canonical text)"),
        "meaning": _("Each signature is bound to this fingerprint: it holds for this very text and for no other version."),
    }


def _in(texts: Any) -> str:
    return text_in(texts, translation.get_language() or "en")
