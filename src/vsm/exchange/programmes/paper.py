"""The diploma supplement for people: its sections as rows for the screen, and as an accessible PDF, in four languages.

What was frozen with the award stays what it is; only labels are translated, and texts appear in the reader's language
where the institution gave one.
"""

from collections.abc import Callable
from typing import Any

from django.utils import formats, translation
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from vsm.exchange.catalogue import labels
from vsm.exchange.institutions.queries import name_of
from vsm.exchange.programmes.models import Conferral
from vsm.exchange.programmes.supplement import SECTIONS, digest_of, from_json
from vsm.kit import pdf
from vsm.kit.localized import LANGUAGES, text_in

_DAYS = {"1.3", "7.1"}


def every_language(say: Callable[[], str]) -> dict[str, str]:
    """A sentence of the program in each of our languages, to be frozen."""
    told = {}
    for code in LANGUAGES:
        with translation.override(code):
            told[code] = say()
    return told


def sections_of(conferral: Conferral) -> list[dict[str, Any]]:
    """The eight sections with their items in the reader's language; `results` stands in 4.3, and only there."""
    kept = from_json(conferral.supplement)
    return [
        {
            "number": section,
            "title": _(title),
            "lines": [
                {
                    "number": number,
                    "label": _(label),
                    "text": _text(number, kept.items.get(number, "")),
                    "results": [
                        {"code": e.code, "title": _in(e.title), "credits": e.credits, "grade": e.grade, "term": e.term} for e in kept.results
                    ]
                    if number == "4.3"
                    else [],
                }
                for number, label in items.items()
            ],
        }
        for section, (title, items) in SECTIONS.items()
    ]


def is_intact(conferral: Conferral) -> bool:
    """Whether the kept supplement still has the fingerprint that it was conferred with."""
    return digest_of(conferral.supplement) == conferral.digest


def pdf_of(conferral: Conferral, language: str) -> bytes:
    """The supplement as an accessible PDF (PDF/UA) in one of the four languages."""
    with translation.override(language):
        kept = from_json(conferral.supplement)
        data = {
            "language": language.split("-")[0],
            "region": language.partition("-")[2],
            "title": _("Diploma supplement"),
            "holder": conferral.study.student.name,
            "award": _in(conferral.title),
            "host": name_of(conferral.study.programme.organisation),
            "number": kept.number,
            "digest": conferral.digest,
            "sections": sections_of(conferral),
            "labels": {
                "preamble": _(
                    "This supplement follows the model of the European Commission, the Council of Europe and UNESCO. It describes the nature, level, "
                    "context, content and status of the studies that were completed; it contains no value judgement and no suggestion about recognition."
                ),
                "code": _("Code"), "module": _("Module"), "credits": _("Credits"), "grade": _("Grade"), "term": _("Term"),
                "credit_system": labels.credit_system_label(kept.credit_system), "not_given": _("not given"), "number": _("Number"),
                "fingerprint": _("Fingerprint (SHA-256 of the canonical data)"),
                "meaning": _("The signed credential of this award names the same fingerprint: whoever has both can see that nothing was changed."),
            },
        }  # fmt: skip
        return pdf.render("vsm.exchange.programmes", "diploma_supplement.typ", data)


def _text(number: str, value: Any) -> str:
    if number in _DAYS and value:
        day = parse_date(value)
        return formats.date_format(day, "DATE_FORMAT") if day else str(value)
    return _in(value)


def _in(texts: Any) -> str:
    return text_in(texts, translation.get_language() or "en")
