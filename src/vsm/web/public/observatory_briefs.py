"""Briefs for everybody: the newest edition in the reader's language, every edition at its permanent address, downloads."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from markdown_it import MarkdownIt

from vsm.config import settings
from vsm.exchange.events.models import OnlineEvent
from vsm.exchange.events.queries import event_title, events_about
from vsm.kit import clock, files
from vsm.kit.localized import LANGUAGES, text_in
from vsm.kit.names import language_name
from vsm.kit.requests import Request
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.estimates.models import EstimateRun
from vsm.observatory.geography import name_of
from vsm.observatory.publications.actions import AUDIENCE_LABELS
from vsm.observatory.publications.briefs import AUDIENCES
from vsm.observatory.publications.charts import light
from vsm.observatory.publications.edition import as_csv, change_row
from vsm.observatory.publications.models import Publication
from vsm.observatory.publications.queries import (
    KIND_LABELS,
    advice_in,
    bundle,
    cases_named,
    changed_since_last,
    citation,
    cited,
    credit,
    edition_of,
    facts_in,
    newest,
    vintages_of,
    vintages_since_last,
)
from vsm.observatory.publications.telling import tell
from vsm.observatory.sources.queries import credited, title_of
from vsm.observatory.sources.registry import sources
from vsm.web.public.issuers import open_to_all
from vsm.web.public.observatory_sheets import ROOT, gates_of, reader, study_name

# What kind of claim a figure can carry.
DESIGN_LABELS = {
    "descriptive": gettext_lazy("Count or ratio"), "counterfactual": gettext_lazy("Against the path before"), "difference-in-differences": gettext_lazy("Difference in differences"),
    "synthetic-control": gettext_lazy("Synthetic control"), "gravity": gettext_lazy("Gravity model"), "scenario": gettext_lazy("Possible path"), "assumption": gettext_lazy("Assumption"),
}  # fmt: skip
MEDIA = {"bundle.zip": "application/zip", "facts.csv": "text/csv; charset=utf-8", "citation.json": "application/vnd.citationstyles.csl+json", "citation.bib": "application/x-bibtex; charset=utf-8"}
FOREVER = "public, max-age=31536000, immutable"


def card(publication: Publication) -> dict[str, Any]:
    """A brief among others: its title and its one sentence."""
    text = publication.content.get(reader()) or publication.content["en"]
    return {"url": f"{ROOT}briefs/{publication.slug}/", "title": text["title"], "kind": str(KIND_LABELS[publication.kind]), "answer": _markdown(text["answer"]), "number": publication.number, "at": publication.published_at, "experimental": publication.experimental}


def index(request: Request) -> HttpResponse:
    crumbs = [{"url": ROOT, "label": _("Observatory")}, {"url": request.path, "label": _("Briefs and reports")}]
    return render(request, "public/observatory/briefs.html", {"title": _("Briefs and reports"), "briefs": [card(each) for each in newest()], "crumbs": crumbs})


def recommendations(request: Request) -> HttpResponse:
    """What the newest editions recommend, to one audience or to all, each with the figures that it rests on."""
    chosen = request.GET.get("for", "")
    found: dict[str, list[dict[str, Any]]] = {audience: [] for audience in AUDIENCES if chosen in {"", audience} or chosen not in AUDIENCES}
    for publication in newest():
        title = (publication.content.get(reader()) or publication.content["en"])["title"]
        for audience, items in advice_in(publication, reader()):
            if audience in found and items:
                found[audience].append({"title": title, "url": f"{ROOT}briefs/{publication.slug}/", "experimental": publication.experimental, "items_": _advised(publication, items)})
    page = {
        "title": _("Recommendations"), "chosen": chosen, "audiences": [{"slug": slug, "label": str(AUDIENCE_LABELS[slug])} for slug in AUDIENCES],
        "groups": [{"slug": slug, "audience": str(AUDIENCE_LABELS[slug]), "briefs": briefs} for slug, briefs in found.items()],
        "crumbs": [{"url": ROOT, "label": _("Observatory")}, {"url": request.path, "label": _("Recommendations")}],
    }  # fmt: skip
    return render(request, "public/observatory/recommendations.html", page)


def brief(request: Request, slug: str, digest: str = "") -> HttpResponse:
    """The newest edition, or the one at a permanent address, in the reader's language."""
    publication = _edition(slug, digest)
    text = publication.content.get(reader()) or publication.content["en"]
    runs = [run for kind, number in publication.runs.items() if (run := EstimateRun.objects.filter(kind=kind, number=number).defer("facts").first())]
    permalink = f"{ROOT}briefs/{slug}/{publication.digest}/"
    vintages = publication.vintages or vintages_of(runs)
    facts = facts_in(publication)
    page = {
        "title": text["title"], "publication": publication, "kind": str(KIND_LABELS[publication.kind]), "answer": _markdown(text["answer"]), "messages_": [_markdown(each) for each in text["messages"]],
        "sections": [{"heading": heading, "body": _markdown(body), "pictures": [_picture(each, facts, vintages) for each in pictures]} for heading, body, pictures in text["sections"]],
        "unknown": _markdown(text["unknown"]),
        "advice": [{"slug": audience, "audience": str(AUDIENCE_LABELS[audience]), "items_": _advised(publication, items)} for audience, items in advice_in(publication, reader())],
        "watch": text["watch"], "method": _markdown(text["method"]), "permalink": permalink, "address": f"{settings().base_url}{permalink}",
        "runs": [{"name": study_name(run), "url": f"/estimate-runs/{run.pk}/", "gates": gates_of(run)} for run in runs], "sources": [_source(each) for each in vintages],
        "papers": [{"url": f"{permalink}brief.{language}.pdf", "name": language_name(language, language), "language": language} for language in LANGUAGES if language in publication.pdfs],
        "changed": [dict(zip(("what", "then", "now"), change_row(each, reader()), strict=True)) for each in changed_since_last(publication)],
        "revised": [{"title": title_of(source), "then": then or "—", "now": now or "—"} for source, then, now in vintages_since_last(publication)],
        "editions": _editions(publication), "is_newest": not digest or publication == _edition(slug), "newest_url": f"{ROOT}briefs/{slug}/",
        "references": text.get("references", []), "cite": cited(publication, f"{settings().base_url}{permalink}", reader()),
        "events": [_event(each) for each in events_about(f"brief:{slug}")],
        "crumbs": [{"url": ROOT, "label": _("Observatory")}, {"url": f"{ROOT}briefs/", "label": _("Briefs and reports")}, {"url": request.path, "label": text["title"]}],
    }  # fmt: skip
    return render(request, "public/observatory/brief.html", page)


def _advised(publication: Publication, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Recommendations with the figures behind each as a table, and the cases that show it as links."""
    facts, shown = facts_in(publication), cases_named(slug for one in items for slug in one["cases"])
    return [
        {
            "do": _markdown(one["do"]), "because": _inline(one["because"]), "unknown": one["unknown"], "figures": [_figure(facts[key]) for key in one["facts"] if key in facts],
            "cases": [{"url": f"/cases/{shown[slug].pk}/", "label": text_in(shown[slug].name, reader())} for slug in one["cases"] if slug in shown],
        }
        for one in items
    ]  # fmt: skip


def _figure(fact: Fact) -> dict[str, str]:
    where = ", ".join(filter(None, (name_of(fact.geo, reader()) if fact.geo else "", str(fact.year or ""))))
    return {"key": fact.key, "where": where, "told": tell(fact, "", reader()) if fact.value is not None else "—", "band": tell(fact, "band", reader()) if fact.low is not None and fact.high is not None else "—", "design": str(DESIGN_LABELS[fact.design])}


def _event(event: OnlineEvent) -> dict[str, Any]:
    """An event about the brief, as its page leads to it: what is to come first, then what can be seen again."""
    return {"url": f"/online-events/{event.pk}/", "title": event_title(event), "starts_at": event.starts_at, "is_to_come": event.state == "published" and event.ends_at > clock.now(), "recording": event.recording_url}


def paper(request: Request, slug: str, digest: str, language: str) -> HttpResponse:
    """The tagged PDF as it was published: stored bytes, never drawn again."""
    publication = _edition(slug, digest)
    if language not in publication.pdfs:
        raise Http404(language)
    response = HttpResponse(files.get(publication.pdfs[language]), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="openvsm-{slug}-{publication.number}-{language}.pdf"'
    return _forever(response)


def download(request: Request, slug: str, digest: str, name: str) -> HttpResponse:
    """The bundle, the figures, or the citation of an edition."""
    publication = _edition(slug, digest)
    if name not in MEDIA:
        raise Http404(name)
    url = f"{settings().base_url}{ROOT}briefs/{slug}/{publication.digest}/"
    if name == "bundle.zip":
        body: bytes | str = bundle(publication, url)
    elif name == "facts.csv":
        body = as_csv(facts_in(publication))
    else:
        body = citation(publication, url, reader())["csl" if name.endswith(".json") else "bibtex"]
    response = HttpResponse(body, content_type=MEDIA[name])
    response["Content-Disposition"] = f'attachment; filename="openvsm-{slug}-{publication.number}-{name}"'
    # A citation follows the reader's language, so only the others are the same for everybody.
    return open_to_all(response if name.startswith("citation") else _forever(response))


def _edition(slug: str, digest: str = "") -> Publication:
    found = Publication.objects.filter(slug=slug, **({"digest": digest} if digest else {})).order_by("-number").first()
    if found is None:
        raise Http404(slug)
    return found  # type: ignore[no-any-return]  # -- a Publication, found through a query set of its own


def _editions(publication: Publication) -> list[dict[str, Any]]:
    found = Publication.objects.filter(slug=publication.slug).defer("content", "facts").order_by("-number")
    return [{"number": each.number, "at": each.published_at, "url": f"{ROOT}briefs/{each.slug}/{each.digest}/", "current": each.pk == publication.pk} for each in found]


def _source(vintage: Mapping[str, str]) -> dict[str, Any]:
    """A release that its runs began from."""
    source = sources()[vintage["source"]]
    return {"title": title_of(source.slug), "attribution": credited(source), "licence": source.licence, "edition": edition_of(vintage), "taken": date.fromisoformat(vintage["taken"]), "url": f"/releases/{vintage['release']}/"}


def _picture(kept: dict[str, Any], facts: Mapping[str, Fact], vintages: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return {
        "title": kept["title"], "svg": mark_safe(light(kept["drawing"]["svg"]) + light(kept["drawing"].get("narrow", ""))), "head": kept["drawing"]["head"], "rows": kept["drawing"]["rows"],  # noqa: S308  # -- drawn by us and kept as published
        "source": credit(vintages, (facts[key] for key in kept.get("facts", ()) if key in facts)),
    }  # fmt: skip


def _markdown(text: str) -> SafeString:
    html: SafeString = mark_safe(MarkdownIt("commonmark", {"html": False}).render(text))  # noqa: S308  # -- HTML in the text is escaped
    return html


def _inline(text: str) -> SafeString:
    html: SafeString = mark_safe(MarkdownIt("commonmark", {"html": False}).renderInline(text))  # noqa: S308  # -- HTML in the text is escaped
    return html


def _forever(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = FOREVER
    return response


urlpatterns = [
    path("observatory/recommendations/", recommendations, name="observatory_recommendations"),
    path("observatory/briefs/", index, name="observatory_briefs"),
    path("observatory/briefs/<slug:slug>/", brief, name="observatory_brief"),
    path("observatory/briefs/<slug:slug>/<slug:digest>/", brief, name="observatory_edition"),
    path("observatory/briefs/<slug:slug>/<slug:digest>/brief.<slug:language>.pdf", paper, name="observatory_paper"),
    path("observatory/briefs/<slug:slug>/<slug:digest>/<str:name>", download, name="observatory_download"),
]
