"""A sheet of the Observatory: pictures with their table, source, vintage and licence; each as page, embed, CSV and JSON.

Every view is made of facts, so what a page draws, what the CSV tells and what the JSON describes are the same figures.
The address keeps what was chosen: the same address shows the same view to whoever is sent it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vsm.config import settings
from vsm.kit.requests import Request
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.estimates.models import EstimateRun
from vsm.observatory.estimates.queries import STUDY_LABELS, gate_label
from vsm.observatory.publications.charts import Drawing
from vsm.observatory.publications.edition import as_csv
from vsm.observatory.publications.queries import FIELDS
from vsm.observatory.sources.models import Release
from vsm.observatory.sources.queries import break_told, breaks_at, breaks_followed, credited, licensed, title_of
from vsm.observatory.sources.registry import sources
from vsm.web.headers import POLICY
from vsm.web.public.issuers import open_to_all
from vsm.web.public.observatory_reading import releases_of

ROOT = "/observatory/"
# A page of ours may stand in another's frame only as an embed, which has nothing to click but a link out.
EMBED_POLICY = POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")

# Figures of a country that a break in its counts runs through.
BREAKABLE = ("inbound", "outbound", "net", "ratio", "circulation", "per-thousand")


def reader() -> str:
    """The reader's language, one of ours."""
    return get_language() or "en"


@dataclass(frozen=True)
class Figure:
    """One picture: `facts` are all it shows, `unknown` what is not known of it, in the reader's language; `releases` and
    `run` where it comes from; `sdg` the targets of the Sustainable Development Goals that it speaks to ("4.5")."""

    name: str
    title: str
    drawing: Drawing
    facts: Sequence[Fact]
    unknown: str
    releases: Sequence[Release] = ()
    run: EstimateRun | None = None
    note: str = ""
    sdg: Sequence[str] = ()

    @property
    def goals(self) -> list[str]:
        """The targets as a reader knows them."""
        return [_("SDG %(target)s") % {"target": target} for target in self.sdg]

    @property
    def svg(self) -> SafeString:
        return mark_safe(self.drawing.both)  # noqa: S308  # -- drawn by us; every text in it was escaped where it was drawn

    @property
    def vintages(self) -> list[Release]:
        return list(self.releases) or (releases_of(self.run) if self.run else [])

    @property
    def is_as_decided(self) -> bool:
        """Whether decisions about breaks are followed: by its study, or where sums are made for it."""
        return self.run is not None or any("breaks" in fact.extra for fact in self.facts)

    @property
    def breaks(self) -> list[dict[str, str]]:
        """Breaks behind it: the decisions that were followed; of counts of countries, what is decided or only proposed."""
        found = breaks_followed(name for fact in self.facts for name in fact.extra.get("breaks", ())) if self.is_as_decided else self._breaks_as_published()
        return [{"text": break_told(geo, year, state), "url": f"/series-breaks/?geo={geo}"} for geo, year, state in found]

    def rows(self) -> list[Fact]:
        """The facts as a CSV tells them: a count stands as published, and its note names a break in its year, followed in studies alone."""
        if self.is_as_decided:
            return list(self.facts)
        states = {(geo, year): state for geo, year, state in self._breaks_as_published()}
        return [replace(fact, note="; ".join(filter(None, (fact.note, _noted(fact, states))))) for fact in self.facts]

    def _breaks_as_published(self) -> list[tuple[str, int, str]]:
        return breaks_at({(fact.geo, fact.year or 0) for fact in self.facts if _is_breakable(fact)})

    def credits(self) -> list[dict[str, Any]]:
        """Source, vintage and licence of each release."""
        return [
            {
                "title": title_of(release.source), "attribution": licensed(release).attribution, "credited": credited(licensed(release)), "licence": licensed(release).licence,
                "edition": release.edition or release.file_name, "named": "" if release.edition == f"{release.retrieved_at:%Y-%m-%d}" else release.edition or release.file_name, "taken": release.retrieved_at, "url": f"/releases/{release.pk}/", "release": str(release.pk), "source": release.source,
                "sha256": release.sha256, "share_alike": licensed(release).share_alike,
            }
            for release in self.vintages
            if release.source in sources()
        ]  # fmt: skip

    def may_be_passed_on(self) -> bool:
        return all(licensed(release).redistribute for release in self.vintages if release.source in sources())


def _is_breakable(fact: Fact) -> bool:
    return fact.key.partition(".")[0] in BREAKABLE


def _noted(fact: Fact, states: Mapping[tuple[str, int], str]) -> str:
    state = states.get((fact.geo, fact.year or 0)) if _is_breakable(fact) else None
    return f"as published; break {fact.geo} {fact.year} {state}" if state else ""


@dataclass(frozen=True)
class Choice:
    """A list to choose from: the name of the parameter, its label, and what can be chosen (value, label)."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    chosen: str


@dataclass(frozen=True)
class Sheet:
    """What a page shows. `template` extends `public/observatory/sheet.html`; `part` is what it shows beside the figures."""

    title: str
    lead: str
    figures: Sequence[Figure] = ()
    choices: Sequence[Choice] = ()
    template: str = "public/observatory/sheet.html"
    crumbs: Sequence[Mapping[str, str]] = ()
    part: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kept(self) -> dict[str, str]:
        """The parameters that make this view."""
        return {choice.name: choice.chosen for choice in self.choices if choice.chosen}


Build = Callable[..., Sheet]


def doors(address: str, build: Build, name: str) -> list[URLPattern]:
    """The page at `address`, its figures as CSV and their description as JSON beside it."""

    def page(request: Request, **kwargs: str) -> HttpResponse:
        return _page(request, build(request, **kwargs), request.path)

    def table(request: Request, **kwargs: str) -> HttpResponse:
        sheet = build(request, **kwargs)
        figure = _figure(request, sheet)
        if not figure.may_be_passed_on():
            return HttpResponse(_("The licence of this source does not let us pass its figures on. They can be read on the page."), status=403, content_type="text/plain; charset=utf-8")
        response = HttpResponse(as_csv({fact.key: fact for fact in figure.rows()}), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="openvsm-{name}-{figure.name}.csv"'
        return open_to_all(response)

    def description(request: Request, **kwargs: str) -> HttpResponse:
        sheet = build(request, **kwargs)
        figure = _figure(request, sheet)
        return open_to_all(JsonResponse(described(figure, sheet, request.path.removesuffix(".json")), json_dumps_params={"ensure_ascii": False, "indent": 1}))

    return [
        path(f"{address}/", page, name=f"observatory_{name}" if name else "observatory"),
        path(f"{address}.csv", table, name=f"observatory_{name or 'front'}_csv"),
        path(f"{address}.json", description, name=f"observatory_{name or 'front'}_json"),
    ]


def described(figure: Figure, sheet: Sheet, address: str) -> dict[str, Any]:
    """What a program must know of a figure before it uses it: columns, units, sources, licences, gates, what is not known."""
    query = _query(sheet, figure)
    base = settings().base_url
    return {
        "title": figure.title, "language": reader(), "page": f"{base}{address}/{query}", "csv": f"{base}{address}.csv{query}",
        "columns": dict(FIELDS), "units": sorted({fact.unit for fact in figure.facts}), "designs": sorted({fact.design for fact in figure.facts}),
        "levels": sorted({fact.level for fact in figure.facts if fact.level is not None}), "rows": len(figure.facts), "unknown": figure.unknown, "breaks": [each["text"] for each in figure.breaks], "as_published": not figure.is_as_decided, "sdg": list(figure.sdg),
        "sources": [{name: credit[name] for name in ("source", "release", "edition", "licence", "attribution", "share_alike", "sha256")} | {"taken": credit["taken"].isoformat()} for credit in figure.credits()],
        "study": {
            "kind": figure.run.kind, "number": figure.run.number, "digest": figure.run.digest, "experimental": figure.run.experimental, "parameters": figure.run.parameters,
            "gates": [{"code": code, "passed": passed, "figure": found, "asked": asked} for code, passed, found, asked in figure.run.gates],
        } if figure.run else None,
        "may_be_passed_on": figure.may_be_passed_on(),
    }  # fmt: skip


def gates_of(run: EstimateRun) -> list[dict[str, Any]]:
    """The gates of a run as a table tells them."""
    return [{"label": gate_label(code), "passed": passed, "figure": _short(found), "asked": _short(asked)} for code, passed, found, asked in run.gates]


def _short(figure: float) -> float:
    """What a gate measured; a count without the point of a fraction."""
    return int(figure) if figure == int(figure) else round(figure, 3)


def study_name(run: EstimateRun) -> str:
    return f"{STUDY_LABELS.get(run.kind, run.kind)} · {run.number}"


def _page(request: Request, sheet: Sheet, here: str) -> HttpResponse:
    address = here.rstrip("/")
    shown = [
        {
            "figure": figure, "credits": figure.credits(), "csv": f"{address}.csv{_query(sheet, figure)}" if figure.may_be_passed_on() else "",
            "json": f"{address}.json{_query(sheet, figure)}", "embed": f"{here}{_query(sheet, figure, embed='1')}", "study": study_name(figure.run) if figure.run else "",
        }
        for figure in sheet.figures
    ]  # fmt: skip
    context = {"title": sheet.title, "lead": sheet.lead, "shown": shown, "choices": sheet.choices, "crumbs": [*trail(sheet)], "here": here, **sheet.part}
    if request.GET.get("embed") == "1" and shown:
        wanted = _figure(request, sheet)
        one = next(each for each in shown if each["figure"] is wanted)
        page_url = f"{settings().base_url}{here}{_query(sheet, wanted)}"
        response = render(request, "public/observatory/embed.html", {"title": wanted.title, "each": one, "page_url": page_url})
        response["Content-Security-Policy"] = EMBED_POLICY
        return response
    return render(request, sheet.template, context)


def trail(sheet: Sheet) -> Iterable[Mapping[str, str]]:
    """The way back, from the Observatory's first page down."""
    if sheet.crumbs:
        yield {"url": ROOT, "label": _("Observatory")}
        yield from sheet.crumbs


def _figure(request: Request, sheet: Sheet) -> Figure:
    wanted = request.GET.get("figure", "")
    found = next((figure for figure in sheet.figures if not wanted or figure.name == wanted), None)
    if found is None:
        raise Http404(wanted)
    return found


def _query(sheet: Sheet, figure: Figure, **more: str) -> str:
    return "?" + urlencode({**sheet.kept, "figure": figure.name, **more})


def chosen(request: Request, name: str, options: Sequence[tuple[str, str]], default: str = "") -> str:
    """What the address chooses of a list; something that is not in it counts as not chosen."""
    wanted = request.GET.get(name, "")
    values = [value for value, _label in options]
    return wanted if wanted in values else default if default in values else next(iter(values), "")

