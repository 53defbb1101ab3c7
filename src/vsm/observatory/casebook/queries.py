"""What doors read of the casebook: its models, cases and reviews, with facets, in the reader's language."""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from vsm import rulebook
from vsm.kit.actors import Actor
from vsm.kit.localized import LANGUAGES, text_in
from vsm.kit.names import language_name
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter
from vsm.kit.saying import labelled
from vsm.observatory.casebook.models import Case, CasebookReview, Entry, VsmModel
from vsm.observatory.casebook.rules import evidence
from vsm.observatory.casebook.seeds import vocabulary
from vsm.observatory.geography import regions

STATES = {"draft": (_("Draft"), "neutral"), "in-review": (_("Being reviewed"), "info"), "published": (pgettext_lazy("case", "Published"), "good")}
ORIGIN_LABELS = {"pre-pandemic": _("Existed before the pandemic"), "pandemic-born": _("Born in the pandemic"), "refined": _("Refined in the pandemic")}
SYNCHRONY_LABELS = {"sync": _("Live meetings"), "async": _("In your own time"), "blended": _("Live and in your own time")}
CREDIT_LABELS = {"always": _("Always for credit"), "sometimes": _("Sometimes for credit"), "may": _("May be for credit"), "no": pgettext_lazy("credit", "Not for credit")}
BANDWIDTH_LABELS = {"text": _("Works with text alone"), "audio": _("Needs sound"), "video": _("Needs video")}
SCOPE_LABELS = {"cross-border": _("Across borders"), "inter-institutional": _("Between institutions")}
GRADE_LABELS = {"audited": (_("Audited"), "good"), "reported": (_("Reported by a named source"), "info"), "self-claimed": (_("Claimed by the programme itself"), "warn")}
DETAIL_LABELS = {
    "actors": _("Who acts"), "prerequisites": _("What must be in place"), "assessment": _("How it is assessed"), "recognition_route": _("How it is recognised"),
    "cost_items": _("What it costs"), "equity_measures": _("What makes it fair"), "quality_assurance": _("What assures quality"), "risks": _("What goes wrong"),
    "time_zones": _("Time zones"),
}  # fmt: skip
ABOUT_LABELS = {
    "participants": _("Participants"), "women": _("Women among them"), "men": _("Men among them"), "first-generation": _("First of their family to study"), "completed": _("Who finished"),
    "recognised": _("Whose credit was recognised"), "credits": _("Credits"), "hours": _("Hours"), "cost": _("Cost"), "institutions": _("Institutions"),
}  # fmt: skip
BASIS_LABELS = {"places": _("places taken up"), "enrolled": _("people enrolled"), "finished": _("people who finished"), "answered": _("whoever answered")}
CONSENT_LABELS = {"public-sources": _("Written from public pages alone"), "given": _("Those who are named have read it and agreed")}


def reader() -> str:
    """The language in which the reader reads, as content tags it."""
    return (get_language() or "en").lower()


def said(texts: Any) -> str:
    return text_in(texts, reader())


def category_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(category.slug, said(category.name)) for category in rulebook.categories()]


def choices_of(labels: Any) -> Any:
    """Choices from a table of labels, for an `Ask` or a filter."""
    return lambda *_asked: [(value, str(label)) for value, label in labels.items()]


def language_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(code, language_name(code, reader())) for code in (*LANGUAGES, "de", "nl")]


def region_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(code, region_name(code)) for code, region in regions().items() if region.level == 1]


def region_name(code: str) -> str:
    return said(regions()[code].name)


def model_choices(_record: Any = None, actor: Actor | None = None) -> list[tuple[str, str]]:
    found = VsmModel.objects.visible_to(actor) if actor else VsmModel.objects.none()
    return [(str(model.pk), said(model.name)) for model in found]


def model_ref(model: VsmModel | None) -> Ref | None:
    return Ref("vsm_model", model.pk, said(model.name)) if model else None


def words_of(model: VsmModel, name: str) -> list[str]:
    """A list of the vocabulary in the reader's language."""
    return [said(vocabulary()[name].get(word, word)) for word in model.details.get(name, ())]


def case_words(case: Case, name: str) -> list[str]:
    """What came of a case, or what stood in the way, in the reader's language."""
    return [said(vocabulary()[name].get(word, word)) for word in getattr(case, name)]


def institution_lines(case: Case) -> list[str]:
    """Name, and identifier where it is known, as a form asks for them."""
    return [f"{name} | {case.rors[name]}" if name in case.rors else name for name in case.institutions]


def _detail(name: str, model: VsmModel) -> list[str]:
    return words_of(model, name)


def source_lines(entry: Entry) -> list[str]:
    return [" · ".join(filter(None, (source.get("title"), source.get("publisher"), source.get("URL")))) for source in entry.sources]


def review_line(entry: Entry) -> str:
    """How it came to be published, honestly."""
    if entry.digest and entry.approvals < 2:
        return gettext("Written by this project from notes taken on the cited pages. Nobody outside the project has reviewed it yet.")
    return gettext("Read and approved by two reviewers, neither of them its author.") if entry.state == "published" else gettext("Not published yet.")


def claim_amount(claim: dict[str, Any]) -> str:
    """What a claim says: 7,372 · 70–78 · 48 %."""
    from babel.numbers import format_decimal

    language: Any = {"pt-br": "pt_BR"}.get(reader(), reader())
    low, high = claim["value"], claim.get("to")
    told = "–".join(format_decimal(float(each), locale=language) for each in (low, high) if each not in (None, ""))
    told = told.replace("-", "−")
    return f"{told}\N{NARROW NO-BREAK SPACE}%" if claim.get("unit") == "per-cent" else told


def claim_rows(case: Case) -> list[dict[str, Any]]:
    """The claims with grade and source, as the page's table shows them."""
    known = {source["id"]: source for source in case.sources}
    return [
        {"what": said(claim["what"]), "amount": claim_amount(claim), "year": claim.get("year", ""), "grade": GRADE_LABELS[claim["grade"]], "source": known.get(claim["source"], {"title": claim["source"]}), "note": said(claim.get("note")),
         "basis": str(BASIS_LABELS[claim["basis"]]) if claim.get("basis") else ""}
        for claim in case.claims
    ]  # fmt: skip


CLAIM_FIELDS = ("case", "title", "url", "about", "what", "value", "to", "unit", "year", "basis", "grade", "source", "publisher", "source_url")


def claim_lines(cases: Iterable[Case], base_url: str) -> Iterator[tuple[Any, ...]]:
    """Every number of published cases, one a line, with its grade and its source: `CLAIM_FIELDS`."""
    for case in cases:
        known = {source["id"]: source for source in case.sources}
        for claim in case.claims:
            source = known.get(claim["source"], {})
            yield (
                case.slug, said(case.name), f"{base_url}/cases/{case.pk}/", claim.get("about", ""), said(claim["what"]), claim["value"], claim.get("to"), claim.get("unit", ""),
                claim.get("year", ""), claim.get("basis", ""), claim["grade"], source.get("title", ""), source.get("publisher", ""), source.get("URL", ""),
            )  # fmt: skip


def case_linked_data(case: Case, base_url: str) -> dict[str, Any]:
    """A case as schema.org Course (JSON-LD): who gives it, where, when, its numbers with grade and source."""
    page, known = f"{base_url}/cases/{case.pk}/", {source["id"]: source for source in case.sources}
    return {
        "@context": "https://schema.org", "@type": "Course", "@id": page, "url": page, "name": said(case.name), "description": said(case.summary), "inLanguage": case.languages,
        "provider": [{"@type": "Organization", "name": name, **({"@id": case.rors[name]} if name in case.rors else {})} for name in case.institutions],
        "hasCourseInstance": [{
            "@type": "CourseInstance", "courseMode": "online", "location": [{"@type": "Country", "identifier": code} for code in case.countries],
            **({"startDate": str(case.started)} if case.started else {}), **({"endDate": str(case.ended)} if case.ended else {}),
        }],
        "additionalProperty": [
            {
                "@type": "PropertyValue", "name": said(claim["what"]), **({"minValue": claim["value"], "maxValue": claim["to"]} if claim.get("to") else {"value": claim["value"]}),
                "propertyID": claim.get("about") or None, "unitText": claim.get("unit") or None, "measurementTechnique": claim["grade"], "url": known.get(claim["source"], {}).get("URL"),
            }
            for claim in case.claims
        ],
        "citation": [_work(source) for source in case.sources], **({"isBasedOn": f"{base_url}/vsm-models/{case.model_id}/"} if case.model_id else {}),
    }  # fmt: skip


def model_linked_data(model: VsmModel, base_url: str) -> dict[str, Any]:
    """A model as schema.org DefinedTerm (JSON-LD), with what it asks for and where it is described."""
    page = f"{base_url}/vsm-models/{model.pk}/"
    return {
        "@context": "https://schema.org", "@type": "DefinedTerm", "@id": page, "url": page, "name": said(model.name), "description": said(model.summary), "termCode": model.slug,
        "inDefinedTermSet": {"@type": "DefinedTermSet", "name": gettext("Models of virtual mobility"), "url": f"{base_url}/vsm-models/"},
        "additionalProperty": [{"@type": "PropertyValue", "name": str(DETAIL_LABELS[name]), "value": words_of(model, name)} for name in DETAIL_LABELS if model.details.get(name)],
        "subjectOf": [_work(source) for source in model.sources],
    }  # fmt: skip


def _work(source: dict[str, Any]) -> dict[str, Any]:
    return {"@type": "CreativeWork", "name": source.get("title"), "publisher": source.get("publisher") or None, "url": source.get("URL")}


def claim_choices(case: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(str(at), labelled(said(claim["what"]), claim_amount(claim))) for at, claim in enumerate(getattr(case, "claims", ()))]


def source_choices(case: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(source["id"], source.get("title", source["id"])) for source in getattr(case, "sources", ())]


def _facet(name: str, label: Any, choices: Any) -> Filter:
    return Filter(name, label, lambda found, value: found.filter(facets__contains=f" {name}:{value} "), choices=choices)


_COMMON = (
    Shown("summary", _("In short"), lambda e: e.summary, "localized", detail=False),
    Shown("categories", _("Categories"), lambda e: e.categories, "list", listed=True, words=lambda slug: dict(category_choices()).get(slug, slug)),
    Shown("credit", _("Credit"), lambda e: e.credit, listed=True, sort="credit", words=CREDIT_LABELS),
    Shown("bandwidth", _("Connection"), lambda e: e.bandwidth, listed=True, sort="bandwidth", words=BANDWIDTH_LABELS),
    Shown("languages", _("Languages"), lambda e: e.languages, "languages"),
    Shown("state", _("State"), lambda e: e.state, "state", sort="state"),
    Shown("checked_on", _("Sources last read"), lambda e: e.checked_on, "date", sort="checked_on"),
    Shown("review", _("Review"), review_line, detail=False),
)
_FACETS = (
    _facet("category", _("Category"), category_choices), _facet("language", _("Language"), language_choices), _facet("credit", _("Credit"), choices_of(CREDIT_LABELS)),
    _facet("bandwidth", _("Connection"), choices_of(BANDWIDTH_LABELS)),
)  # fmt: skip

VSM_MODEL = resource(
    Resource(
        "vsm_model", "vsm-models", VsmModel, _("Model of virtual mobility"), _("Models of virtual mobility"), lambda model: said(model.name),
        fields=(
            Shown("name", _("Name"), lambda m: said(m.name), listed=True, detail=False),
            Shown("origin", _("Since when"), lambda m: m.origin, listed=True, sort="origin", words=ORIGIN_LABELS),
            *_COMMON,
            Shown("synchrony", _("How one meets"), lambda m: m.synchrony, words=SYNCHRONY_LABELS),
            Shown("scope", _("Reach"), lambda m: m.scope, "list", words=SCOPE_LABELS),
            *(Shown(name, label, partial(_detail, name), "list") for name, label in DETAIL_LABELS.items()),
            Shown("sources", _("Sources"), source_lines, "list", detail=False),
        ),
        filters=(
            *_FACETS,
            # A model has no place of its own: it is where its cases are.
            Filter("region", _("Region"), lambda found, value: found.filter(pk__in=Case.objects.filter(state="published", facets__contains=f" region:{value} ").values("model")), choices=region_choices),
            _facet("origin", _("Since when"), choices_of(ORIGIN_LABELS)), state_filter(STATES),
        ),
        order="slug", prefetch=("reviews",), states=STATES, starts=(("hub", "draft_vsm_model"),),
        sections=(Section(_("Cases"), "case", lambda model: {"model": model}), Section(_("Reviews"), "casebook_review", lambda model: {"vsm_model": model})),
        empty=_("No model fits. Take a filter away."),
    )
)  # fmt: skip

CASE = resource(
    Resource(
        "case", "cases", Case, _("Case"), _("Cases"), lambda case: said(case.name),
        fields=(
            Shown("name", _("Name"), lambda c: said(c.name), listed=True, detail=False),
            Shown("model", _("Model"), lambda c: model_ref(c.model), "ref", listed=True),
            Shown("institutions", _("Institutions"), lambda c: c.institutions, "list"),
            Shown("rors", _("ROR"), lambda c: list(c.rors.values()), "list"),
            Shown("countries", _("Countries"), lambda c: c.countries, "countries"),
            Shown("regions", _("Regions"), lambda c: [code for code, _label in region_choices() if f" region:{code} " in c.facets], "list", listed=True, words=region_name),
            Shown("started", _("First year"), lambda c: c.started and str(c.started), listed=True, sort="started"),
            Shown("ended", _("Last year"), lambda c: c.ended and str(c.ended)),
            *_COMMON,
            Shown("evidence", _("Evidence"), lambda c: evidence(c.claims), words=lambda grade: GRADE_LABELS[grade][0]),
            Shown("consent", _("Consent"), lambda c: c.consent, words=CONSENT_LABELS),
            Shown("outcomes", _("What came of it"), lambda c: case_words(c, "outcomes"), "list", detail=False),
            Shown("barriers", _("What stood in the way"), lambda c: case_words(c, "barriers"), "list", detail=False),
            Shown("claims", _("Numbers"), lambda c: c.claims, "json", detail=False),
            Shown("lessons", _("What one can learn"), lambda c: c.lessons, "localized", detail=False),
            Shown("unknown", _("What we do not know"), lambda c: c.unknown, "localized", detail=False),
            Shown("sources", _("Sources"), source_lines, "list", detail=False),
        ),
        filters=(
            *_FACETS, _facet("region", _("Region"), region_choices),
            _facet("grade", _("Evidence"), lambda *_asked: [(value, str(label)) for value, (label, _tone) in GRADE_LABELS.items()]), state_filter(STATES),
        ),
        order="slug", related=("model",), prefetch=("reviews",), states=STATES, starts=(("hub", "draft_case"),),
        sections=(Section(_("Reviews"), "casebook_review", lambda case: {"case": case}),),
        empty=_("No case fits. Take a filter away."),
    )
)  # fmt: skip

CASEBOOK_REVIEW = resource(
    Resource(
        "casebook_review", "casebook-reviews", CasebookReview, _("Review of an entry"), _("Reviews of entries"), lambda review: f"{review.reviewer.name} · {review.round}",
        fields=(
            Shown("entry", _("Entry"), lambda r: Ref("case", r.case_id, said(r.case.name)) if r.case else model_ref(r.vsm_model), "ref", listed=True),
            Shown("reviewer", _("Reviewer"), lambda r: r.reviewer.name, listed=True),
            Shown("approved", _("Approved"), lambda r: r.approved, "bool", listed=True, sort="approved"),
            Shown("round", _("Round"), lambda r: r.round, "integer", sort="round"),
            Shown("because", _("Why"), lambda r: r.because, "long_text", listed=True),
            Shown("at", _("When"), lambda r: r.at, "moment", listed=True, sort="at"),
        ),
        order="-at", related=("reviewer", "case", "vsm_model"), empty=_("Nothing has been reviewed yet."),
    )
)  # fmt: skip
