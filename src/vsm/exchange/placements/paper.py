"""A version of the tripartite agreement as a page: the same facts for the screen and for the PDF, in the reader's language.

What was signed stays in the words in which it was written; only labels are translated.
"""

from datetime import date
from typing import Any

from django.utils import formats, translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from vsm.exchange.placements.models import AgreementVersion, PlacementAgreement, Signature
from vsm.exchange.placements.queries.vacancies import PAY_PERIODS, law_told
from vsm.exchange.placements.rules.agreement import LABELS, PARTY_WORDS, Content, Party
from vsm.kit import pdf
from vsm.kit.localized import text_in
from vsm.kit.names import country_name, language_name
from vsm.kit.saying import signed_at_text

LONG = ("tasks", "outcomes", "equipment", "insurance", "data_and_ip", "confidentiality", "complaints")


def paper_of(version: AgreementVersion) -> dict[str, Any]:
    """The facts of one version, as text, for a template."""
    text = version.text
    signatures = {each.party: each for each in version.signatures.all()}
    return {
        "number": version.number,
        "digest": version.digest,
        "is_intact": version.is_intact,
        "at": version.at,
        "because": version.because,
        "title": _in(text.title),
        "student": text.student["name"],
        "facts": [{"label": _(LABELS[name]), "value": value} for name, value in _facts(text) if value],
        "parts": [{"label": _(LABELS[name]), "value": getattr(text, name)} for name in LONG],
        "signatures": [_signature(party.value, signatures.get(party.value)) for party in Party],
    }


def pdf_of(agreement: PlacementAgreement, version: AgreementVersion, language: str) -> bytes:
    """The version as an accessible PDF (PDF/UA) in one of the four languages."""
    with translation.override(language):
        paper = paper_of(version)
        data = {
            "language": language.split("-")[0],
            "region": language.partition("-")[2],
            "paper": {**paper, "at": signed_at_text(version.at)},
            "title": _("Tripartite placement agreement"),
            "labels": {
                "version": _("Version"), "facts": _("What is agreed"), "open": _("Not settled yet"), "signatures": _("Signatures"), "side": _("Side"), "name": _("Name"),
                "signed_at": _("Signed at"), "not_signed": _("not signed"), "versions": _("Versions"), "made_at": _("Written at"), "because": _("Why"),
                "fingerprint": _("Fingerprint (SHA-256 of the canonical text)"),
                "meaning": _("Each signature is bound to this fingerprint: it holds for this very text and for no other version."),
            },
            "standing": standing_of(agreement, version),
            "versions": [{"number": each.number, "at": signed_at_text(each.at), "digest": each.digest, "because": each.because} for each in agreement.versions.all()],
        }  # fmt: skip
        return pdf.render("vsm.exchange.placements", "agreement.typ", data)


def standing_of(agreement: PlacementAgreement, version: AgreementVersion) -> str:
    """Whether this version holds, in words."""
    if version.number == agreement.signed_version:
        return _("In force: signed by all three.")
    if version.number == agreement.current and agreement.signed_version:
        return _("Not in force yet: version %(number)s is, until all three have signed this one.") % {"number": agreement.signed_version}
    if version.number == agreement.current:
        return _("Not in force yet: all three have to sign it.")
    return _("An earlier version, kept for the record.")


def _facts(text: Content) -> list[tuple[str, str]]:
    language = translation.get_language() or "en"
    host = ", ".join(filter(None, [text.host["name"], country_name(text.host["country"], language), text.host.get("registration", "")]))
    return [
        ("student", ", ".join(filter(None, [text.student["name"], text.student["number"], text.student["programme"]]))),
        ("home", f"{_in(text.home['name'])}, {country_name(text.home['country'], language)}"),
        ("host", host),
        ("starts_on", _day(text.starts_on)),
        ("ends_on", _day(text.ends_on)),
        ("hours_per_week", _number(text.hours_per_week)),
        ("most_hours_per_week", _number(text.most_hours_per_week)),
        ("limit_source", law_told(text.limit_source)),
        ("core_hours", f"{text.core_hours} ({text.zone})" if text.core_hours else ""),
        ("language", language_name(text.language, language) if text.language else ""),
        ("mentor", _person(text.mentor)),
        ("tutor", _person(text.tutor)),
        ("officer", _person(text.officer)),
        ("pay", _("Not paid") if text.pay_period == "none" else f"{_number(text.pay)} {text.currency} {PAY_PERIODS[text.pay_period]}"),
    ]


def _person(value: Any) -> str:
    return " · ".join(filter(None, [value.get("name", ""), value.get("email", "")]))


def _number(text: str) -> str:
    return str(number_format(text, use_l10n=True, force_grouping=True)) if text else ""


def _day(text: str) -> str:
    return str(formats.date_format(date.fromisoformat(text), "DATE_FORMAT"))


def _signature(party: str, signature: Signature | None) -> dict[str, str]:
    told = {"party": party, "side": _(PARTY_WORDS[party]).capitalize(), "name": "", "at": "", "how": ""}
    if signature is None:
        return told
    name = ", ".join(filter(None, [signature.name, signature.function]))
    how = _("by a link and a code mailed to %(email)s") % {"email": signature.email} if signature.link_id else ""
    return {**told, "name": name, "how": how, "at": signed_at_text(signature.at, signature.zone)}


def _in(texts: Any) -> str:
    return text_in(texts, translation.get_language() or "en")
