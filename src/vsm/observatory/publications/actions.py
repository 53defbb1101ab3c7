"""Publishing a brief: its studies' newest facts, no fault in any language, four pages and four PDFs, one permalink."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from babel.numbers import format_decimal
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from vsm.exchange.institutions.models import Hub
from vsm.kit import files, pdf
from vsm.kit.actions import Ask, action
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.i18n import N_
from vsm.kit.localized import LANGUAGES, text_in
from vsm.kit.verdict import Reason
from vsm.observatory.estimates.actions import run_study
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.estimates.models import EstimateRun
from vsm.observatory.estimates.queries import STUDY_LABELS, facts_of, gate_label
from vsm.observatory.publications.around import of_gates
from vsm.observatory.publications.briefs import briefs
from vsm.observatory.publications.edition import Written, change_row, digest, used, written
from vsm.observatory.publications.models import Publication
from vsm.observatory.publications.prose import Fault
from vsm.observatory.publications.queries import (
    KIND_LABELS,
    brief_choices,
    casebook_facts,
    cases_named,
    changed_since_last,
    cited,
    credit,
    facts_in,
    permalink,
    reference,
    vintage_name,
    vintages_of,
    vintages_since_last,
)
from vsm.observatory.sources.queries import credited, title_of
from vsm.observatory.sources.registry import sources

AUDIENCE_LABELS: Mapping[str, Any] = {
    "students": _("For students"), "practitioners": _("For faculty and international offices"), "leaders": _("For leaders and governments"), "funders": _("For funders"),
}  # fmt: skip


# The words around the author's in a paper.
LABELS: Mapping[str, str] = {
    "edition": N_("Edition"), "messages": N_("Key messages"), "unknown": N_("What we do not know"), "advice": N_("Recommendations"), "rests": N_("Rests on:"),
    "not_known": N_("Not known:"), "shown": N_("In the casebook:"), "watch": N_("Indicators to watch"), "method": N_("Method"), "gates": N_("Gates:"), "gate": N_("Gate"),
    "measured": N_("Measured"), "threshold": N_("Threshold"), "result": N_("Result"), "changes": N_("Changes since the last edition"), "figure": N_("Figure"), "then": N_("Then"),
    "now": N_("Now"), "none": N_("No figure changed."), "first": N_("This is the first edition."), "source": N_("Source"), "from": N_("Source:"), "sources": N_("Sources"), "references": N_("References"),
    "cite": N_("How to cite"), "permalink": N_("Permanent address:"), "experimental": N_("Experimental: a gate failed, so read these estimates with reserve."),
    "licence": N_("Figures carry the licence of their source, named above."),
}  # fmt: skip


@action("publish_brief", on=Hub, label=_("Publish a brief"), allow=("operator",), tone="primary")
def publish_brief(hub: Hub, *, by: Actor, now: datetime, slug: Annotated[str, Ask(_("Brief"), choices=brief_choices)]) -> Publication:
    """Run its studies on the newest releases, check every sentence, and publish an edition in four languages with its PDFs.

    Nothing is typed by hand and nothing changes later: the same figures again give the edition that is there, other
    figures the next one.
    """
    if slug not in briefs():
        raise Invalid(Reason("brief-unknown", N_("There is no brief “%(slug)s”. Known: %(known)s."), {"slug": slug, "known": ", ".join(briefs())}, "slug"))
    brief = briefs()[slug]
    runs: dict[str, EstimateRun] = {kind: run_study(hub, by=by, now=now, kind=kind) for kind in brief.studies}
    facts: dict[str, Fact] = {key: fact for run in runs.values() for key, fact in facts_of(run).items()}
    facts |= {fact.key: fact for fact in (*(each for kind, run in runs.items() for each in of_gates(kind, run.gates)), *casebook_facts())}
    Refused.because(_reasons(brief.faults(facts)))
    permalink = digest(brief, facts)
    held: Publication | None = Publication.objects.filter(digest=permalink).first()
    if held:
        return held
    experimental = any(run.experimental for run in runs.values())
    number = Publication.objects.filter(slug=slug).count() + 1
    texts = {language: written(brief, facts, language) for language in LANGUAGES}
    publication = Publication(
        slug=slug, kind=brief.kind, number=number, title={language: text.title for language, text in texts.items()},
        content={language: asdict(text) for language, text in texts.items()}, facts={key: fact.as_json() for key, fact in used(brief, facts).items()},
        runs={kind: run.number for kind, run in runs.items()}, vintages=vintages_of(runs.values()), experimental=experimental, digest=permalink, published_at=now,
    )  # fmt: skip
    publication.pdfs = {language: files.put(paper(publication, text, list(runs.values()))) for language, text in texts.items()}
    publication.save()
    return publication


def _reasons(faults: Iterable[tuple[str, Fault]]) -> list[Reason]:
    """Each fault of a place once, with the languages in which it stands: what is lacking is mostly lacking in all four."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for place, fault in faults:
        found.setdefault((place, fault.code, fault.text), set()).add(fault.language)
    return [
        Reason("brief-fault", N_("%(place)s (%(language)s): %(code)s — %(text)s"), {"place": place, "language": ", ".join(sorted(languages - {""})) or "–", "code": code, "text": text})
        for (place, code, text), languages in found.items()
    ]


def paper(publication: Publication, text: Written, runs: list[EstimateRun]) -> bytes:
    """The tagged PDF of one language: everything that the page tells, and how to find the page again."""
    language, _dash, region = text.language.partition("-")
    url = permalink(publication)
    shown = cases_named(slug for _audience, items in text.advice for one in items for slug in one.cases)
    facts = facts_in(publication)
    with translation.override(text.language):
        data = {
            "title": text.title, "kind": str(KIND_LABELS[publication.kind]), "answer": text.answer, "messages": text.messages, "number": publication.number,
            "published": date_format(publication.published_at, "DATE_FORMAT"), "digest": publication.digest, "language": language,
            "region": region.upper(), "experimental": publication.experimental, "unknown": text.unknown, "watch": text.watch, "method": text.method,
            "sections": [
                {
                    "heading": heading, "paragraphs": body.split("\n\n"),
                    "pictures": [
                        {"title": p.title, "alt": f"{p.title}. {p.drawing.description}", "svg": p.drawing.svg, "head": p.drawing.head, "rows": p.drawing.rows, "source": credit(publication.vintages, (facts[key] for key in p.facts))}
                        for p in pictures
                    ],
                }
                for heading, body, pictures in text.sections
            ],
            "advice": [
                {
                    "audience": str(AUDIENCE_LABELS[audience]),
                    "items": [
                        {"do": one.do, "because": one.because, "unknown": one.unknown, "cases": [text_in(shown[slug].name, text.language) for slug in one.cases if slug in shown]}
                        for one in items
                    ],
                }
                for audience, items in text.advice
            ],
            "gates": [
                {"study": str(STUDY_LABELS.get(run.kind, run.kind)), "rows": [[gate_label(code), _figure(found, language), _figure(asked, language), gettext("passed") if passed else gettext("failed")] for code, passed, found, asked in run.gates]}
                for run in runs
            ],
            "changes": [change_row(each, text.language) for each in changed_since_last(publication)], "is_first": publication.number == 1,
            "vintages": [[title_of(slug), then or "—", now or "—"] for slug, then, now in vintages_since_last(publication)],
            "sources": [_source_line(each) for each in publication.vintages], "references": [reference(each) for each in text.references],
            "cite": cited(publication, url, text.language), "url": url, "labels": {name: gettext(label) for name, label in LABELS.items()},
        }  # fmt: skip
        return pdf.render(__package__, "brief.typ", data)


def _source_line(vintage: dict[str, str]) -> str:
    source = sources()[vintage["source"]]
    return f"{credited(source)}, {vintage_name(vintage)}. {source.licence}. SHA-256 {vintage['sha256'][:16]}…"


def _figure(number: float, language: str) -> str:
    return str(format_decimal(round(number, 3), locale=language))
