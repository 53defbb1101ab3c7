"""Writing an entry, having it read by two others, publishing it; and bringing the entries that the program ships."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from vsm import rulebook
from vsm.exchange.institutions.models import Hub
from vsm.kit.actions import NOTED, Ask, LanguageTag, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.casebook import rules
from vsm.observatory.casebook.models import Case, CasebookReview, Entry, VsmModel
from vsm.observatory.casebook.queries import (
    ABOUT_LABELS,
    BANDWIDTH_LABELS,
    BASIS_LABELS,
    CONSENT_LABELS,
    CREDIT_LABELS,
    DETAIL_LABELS,
    GRADE_LABELS,
    ORIGIN_LABELS,
    SCOPE_LABELS,
    SYNCHRONY_LABELS,
    category_choices,
    choices_of,
    claim_choices,
    institution_lines,
    language_choices,
    model_choices,
    region_choices,
    said,
    source_choices,
)
from vsm.observatory.casebook.seeds import edition, seeded_cases, seeded_models, vocabulary
from vsm.observatory.casebook.states import STEPS, State
from vsm.observatory.geography import countries

EDITORS = ("operator", "coordinator@anywhere", "registrar@anywhere")
WRITER = ("operator", "self@author")
NOTED |= {(noun, "seed"): _("Loaded with the program") for noun in (Case.noun, VsmModel.noun)}
Localized = dict[LanguageTag, str]
AnyEntry = TypeVar("AnyEntry", bound=Entry)


def _may_review(entry: Entry, by: Actor) -> bool:
    return not any(_against_review(entry, by))


def _words(name: str) -> Any:
    return lambda *_asked: [(word, said(texts)) for word, texts in vocabulary()[name].items()]


def _detail(name: str) -> Any:
    return Ask(DETAIL_LABELS[name], choices=_words(name), start=lambda r, _a: r.details.get(name, []) if isinstance(r, VsmModel) else [])


def _or_none(labels: Any) -> Any:
    return lambda *_asked: [("", "—"), *((value, str(label)) for value, label in labels.items())]


Name = Annotated[Localized, Ask(_("Name"), kind="localized")]
Summary = Annotated[Localized, Ask(_("In short"), _("What it is and for whom it works. No numbers: these are claims with their source."), kind="localized")]
Categories = Annotated[list[str], Ask(_("Categories"), choices=category_choices)]
Languages = Annotated[list[str], Ask(_("Languages"), choices=language_choices)]
Credit = Annotated[str, Ask(_("Credit"), choices=choices_of(CREDIT_LABELS))]
Connection = Annotated[str, Ask(_("Connection"), _("What the weakest connection must carry to take part."), choices=choices_of(BANDWIDTH_LABELS))]
Origin = Annotated[str, Ask(_("Since when"), choices=choices_of(ORIGIN_LABELS))]
Synchrony = Annotated[str, Ask(_("How one meets"), choices=choices_of(SYNCHRONY_LABELS))]
Reach = Annotated[list[str], Ask(_("Reach"), choices=choices_of(SCOPE_LABELS))]
ModelOf = Annotated[UUID | None, Ask(_("Model"), choices=model_choices, start=lambda r, _a: str(r.model_id) if isinstance(r, Case) and r.model_id else None)]
Institutions = Annotated[list[str], Ask(_("Institutions"), _("One a line; its ROR identifier may follow after a bar: Name | https://ror.org/02mhbdp94."), start=lambda r, _a: institution_lines(r) if isinstance(r, Case) else [])]
Outcomes = Annotated[list[str], Ask(_("What came of it"), choices=_words("outcomes"))]
Barriers = Annotated[list[str], Ask(_("What stood in the way"), choices=_words("barriers"))]
Consent = Annotated[str, Ask(_("Consent"), _("Whether those who are named have read it."), choices=choices_of(CONSENT_LABELS))]
Countries = Annotated[list[str], Ask(_("Countries"), _("Three-letter codes, one a line. Only those that a source names."))]
Regions = Annotated[list[str], Ask(_("Regions"), _("Where it reaches beyond the countries that are named."), choices=region_choices)]
Started = Annotated[int | None, Ask(_("First year"))]
Ended = Annotated[int | None, Ask(_("Last year"), _("Empty where it goes on, or nobody says."))]
Lessons = Annotated[Localized, Ask(_("What one can learn"), kind="localized")]
Unknown = Annotated[Localized, Ask(_("What we do not know"), kind="localized")]
Because = Annotated[str, Ask(_("Why"), kind="long_text", limit=2000)]


@action("draft_vsm_model", on=Hub, label=_("Write a model"), allow=EDITORS)
def draft_vsm_model(
    hub: Hub, *, by: Actor, now: datetime, name: Name, summary: Summary, categories: Categories, languages: Languages, credit: Credit, bandwidth: Connection,
    origin: Origin, synchrony: Synchrony, scope: Reach,
) -> VsmModel:  # fmt: skip
    """Begin a model as a draft that its author and the operator see."""
    del hub, now
    model = VsmModel(author_id=by.person_id, slug=_slug(name, VsmModel))
    return _written(model, name=name, summary=summary, categories=categories, languages=languages, credit=credit, bandwidth=bandwidth, origin=origin, synchrony=synchrony, scope=scope)


@action("edit", on=VsmModel, label=_("Edit"), allow=WRITER, step=STEPS["edit"])
def edit_model(
    model: VsmModel, *, by: Actor, now: datetime, name: Name, summary: Summary, categories: Categories, languages: Languages, credit: Credit, bandwidth: Connection,
    origin: Origin, synchrony: Synchrony, scope: Reach,
    actors: Annotated[list[str], _detail("actors")] = [], prerequisites: Annotated[list[str], _detail("prerequisites")] = [],  # noqa: B006 -- never changed
    assessment: Annotated[list[str], _detail("assessment")] = [], recognition_route: Annotated[list[str], _detail("recognition_route")] = [],  # noqa: B006 -- never changed
    cost_items: Annotated[list[str], _detail("cost_items")] = [], equity_measures: Annotated[list[str], _detail("equity_measures")] = [],  # noqa: B006 -- never changed
    quality_assurance: Annotated[list[str], _detail("quality_assurance")] = [], risks: Annotated[list[str], _detail("risks")] = [],  # noqa: B006 -- never changed
    time_zones: Annotated[list[str], _detail("time_zones")] = [],  # noqa: B006 -- never changed
) -> VsmModel:  # fmt: skip
    """Change a draft."""
    del by, now
    details = {
        "actors": actors, "prerequisites": prerequisites, "assessment": assessment, "recognition_route": recognition_route, "cost_items": cost_items,
        "equity_measures": equity_measures, "quality_assurance": quality_assurance, "risks": risks, "time_zones": time_zones,
    }  # fmt: skip
    return _written(model, name=name, summary=summary, categories=categories, languages=languages, credit=credit, bandwidth=bandwidth, origin=origin, synchrony=synchrony, scope=scope, details=details)


@action("draft_case", on=Hub, label=_("Write a case"), allow=EDITORS)
def draft_case(
    hub: Hub, *, by: Actor, now: datetime, name: Name, summary: Summary, categories: Categories, languages: Languages, credit: Credit, bandwidth: Connection,
    model: ModelOf = None, institutions: Institutions = [], countries: Countries = [], regions: Regions = [], started: Started = None, ended: Ended = None,  # noqa: B006 -- never changed
    lessons: Lessons = {}, unknown: Unknown = {}, outcomes: Outcomes = [], barriers: Barriers = [], consent: Consent = "public-sources",  # noqa: B006 -- never changed
) -> Case:  # fmt: skip
    """Begin a case as a draft that its author and the operator see; numbers follow as claims."""
    del hub, now
    case = Case(author_id=by.person_id, slug=_slug(name, Case))
    return _written(
        case, name=name, summary=summary, categories=categories, languages=languages, credit=credit, bandwidth=bandwidth, model=_model(model, by),
        **_named(institutions), countries=countries, regions=regions, started=started, ended=ended, lessons=lessons, unknown=unknown, outcomes=outcomes,
        barriers=barriers, consent=consent,
    )  # fmt: skip


@action("edit", on=Case, label=_("Edit"), allow=WRITER, step=STEPS["edit"])
def edit_case(
    case: Case, *, by: Actor, now: datetime, name: Name, summary: Summary, categories: Categories, languages: Languages, credit: Credit, bandwidth: Connection,
    model: ModelOf = None, institutions: Institutions = [], countries: Countries = [], regions: Regions = [], started: Started = None, ended: Ended = None,  # noqa: B006 -- never changed
    lessons: Lessons = {}, unknown: Unknown = {}, outcomes: Outcomes = [], barriers: Barriers = [], consent: Consent = "public-sources",  # noqa: B006 -- never changed
) -> Case:  # fmt: skip
    """Change a draft."""
    del now
    return _written(
        case, name=name, summary=summary, categories=categories, languages=languages, credit=credit, bandwidth=bandwidth, model=_model(model, by),
        **_named(institutions), countries=countries, regions=regions, started=started, ended=ended, lessons=lessons, unknown=unknown, outcomes=outcomes,
        barriers=barriers, consent=consent,
    )  # fmt: skip


@action("add_claim", on=Case, label=_("Add a number"), allow=WRITER, step=STEPS["add_claim"])
def add_claim(
    case: Case, *, by: Actor, now: datetime,
    what: Annotated[Localized, Ask(_("What it counts"), kind="localized")],
    value: Annotated[float, Ask(_("Value"))],
    grade: Annotated[str, Ask(_("Evidence"), choices=lambda *_asked: [(each, str(label)) for each, (label, _tone) in GRADE_LABELS.items()])],
    source: Annotated[str, Ask(_("Source"), _("One of the sources of this entry: add it first."), choices=source_choices)],
    to: Annotated[float | None, Ask(_("Up to"), _("Where the source gives a range."))] = None,
    year: Annotated[str, Ask(_("Year or period"), limit=20)] = "",
    per_cent: Annotated[bool, Ask(_("It is a percentage"))] = False,
    about: Annotated[str, Ask(_("Kind of number"), _("So that numbers of several cases can be laid side by side."), choices=_or_none(ABOUT_LABELS))] = "",
    basis: Annotated[str, Ask(_("Counted are"), choices=_or_none(BASIS_LABELS))] = "",
) -> Case:  # fmt: skip
    """A number with what it counts, how well it is known, and who says so. Where sources disagree, add both."""
    del by, now
    claim = {"what": what, "value": value, "to": to, "grade": grade, "source": source, "year": year.strip(), "unit": "per-cent" if per_cent else "", "about": about, "basis": basis, "note": {}}
    Invalid.because(rules.claim_problems(claim, {each["id"] for each in case.sources}))
    case.claims = [*case.claims, claim]
    case.save()
    return case


@action("remove_claim", on=Case, label=_("Take a number out"), allow=WRITER, step=STEPS["remove_claim"], when=lambda case: bool(case.claims))
def remove_claim(case: Case, *, by: Actor, now: datetime, claim: Annotated[str, Ask(_("Which number"), choices=claim_choices)]) -> Case:
    """Take a number out of a draft."""
    del by, now
    if not (claim.isdecimal() and int(claim) < len(case.claims)):
        raise Invalid(Reason("claim-unknown", N_("There is no such number here."), {}, "claim"))
    case.claims = [each for at, each in enumerate(case.claims) if at != int(claim)]
    case.save()
    return case


def _add_source(entry: AnyEntry, title: str, url: str, publisher: str) -> AnyEntry:
    if not url.startswith(("https://", "http://")):
        raise Invalid(Reason("url", N_("Write the whole address, beginning with https://."), {}, "url"))
    ident = _plain(title) or f"source-{len(entry.sources) + 1}"
    if any(source["id"] == ident for source in entry.sources):
        raise Invalid(Reason("source-twice", N_("This source is here already."), {}, "title"))
    entry.sources = [*entry.sources, {"id": ident, "type": "webpage", "title": title.strip(), "publisher": publisher.strip(), "URL": url}]
    entry.save()
    return entry


SourceTitle = Annotated[str, Ask(_("Title"), limit=300)]
SourceUrl = Annotated[str, Ask(_("Address"), limit=500)]
SourcePublisher = Annotated[str, Ask(_("Publisher"), limit=200)]


@action("add_source", on=Case, label=_("Add a source"), allow=WRITER, step=STEPS["add_source"])
def add_case_source(case: Case, *, by: Actor, now: datetime, title: SourceTitle, url: SourceUrl, publisher: SourcePublisher = "") -> Case:
    """A page or paper that a reader can open."""
    del by, now
    return _add_source(case, title, url, publisher)


@action("add_source", on=VsmModel, label=_("Add a source"), allow=WRITER, step=STEPS["add_source"])
def add_model_source(model: VsmModel, *, by: Actor, now: datetime, title: SourceTitle, url: SourceUrl, publisher: SourcePublisher = "") -> VsmModel:
    """A page or paper that a reader can open."""
    del by, now
    return _add_source(model, title, url, publisher)


@action("submit", on=Case, label=_("Hand in for review"), allow=WRITER, step=STEPS["submit"], tone="primary")
def submit_case(case: Case, *, by: Actor, now: datetime) -> Case:
    """Two others read it. Told at once: missing languages, numbers in prose, claims without grade or source."""
    del by, now
    return _submitted(case)


@action("submit", on=VsmModel, label=_("Hand in for review"), allow=WRITER, step=STEPS["submit"], tone="primary")
def submit_model(model: VsmModel, *, by: Actor, now: datetime) -> VsmModel:
    """Two others read it. Told at once: missing languages, numbers in prose, no source."""
    del by, now
    return _submitted(model)


@action("approve", on=Case, label=_("Approve"), allow=EDITORS, step=STEPS["approve"], tone="primary", waits_for=_may_review)
def approve_case(case: Case, *, by: Actor, now: datetime, because: Because = "") -> Case:
    """You have opened the sources and found what the claims say. The second approval publishes it."""
    return _reviewed(case, by, now, because, approved=True)


@action("approve", on=VsmModel, label=_("Approve"), allow=EDITORS, step=STEPS["approve"], tone="primary", waits_for=_may_review)
def approve_model(model: VsmModel, *, by: Actor, now: datetime, because: Because = "") -> VsmModel:
    """You have opened the sources and found what it says. The second approval publishes it."""
    return _reviewed(model, by, now, because, approved=True)


@action("send_back", on=Case, label=_("Send back"), allow=EDITORS, step=STEPS["send_back"], tone="warning", waits_for=_may_review)
def send_back_case(case: Case, *, by: Actor, now: datetime, because: Because) -> Case:
    """Back to its author, with what is wrong. Approvals of this round do not count for the next."""
    return _reviewed(case, by, now, because, approved=False)


@action("send_back", on=VsmModel, label=_("Send back"), allow=EDITORS, step=STEPS["send_back"], tone="warning", waits_for=_may_review)
def send_back_model(model: VsmModel, *, by: Actor, now: datetime, because: Because) -> VsmModel:
    """Back to its author, with what is wrong. Approvals of this round do not count for the next."""
    return _reviewed(model, by, now, because, approved=False)


@action("revise", on=Case, label=_("Take up again"), allow=EDITORS, step=STEPS["revise"])
def revise_case(case: Case, *, by: Actor, now: datetime, because: Because) -> Case:
    """A published case becomes your draft again; it is published anew after two reviews."""
    del now, because
    return _taken_up(case, by)


@action("revise", on=VsmModel, label=_("Take up again"), allow=EDITORS, step=STEPS["revise"])
def revise_model(model: VsmModel, *, by: Actor, now: datetime, because: Because) -> VsmModel:
    """A published model becomes your draft again; it is published anew after two reviews."""
    del now, because
    return _taken_up(model, by)


@action("seed_casebook", on=Hub, label=_("Bring the casebook of the program"), allow=())
def seed_casebook(hub: Hub, *, by: Actor, now: datetime) -> Hub:
    """Enter the models and cases that the program ships, as published; once for each text. What people have taken up is theirs."""
    models = {values["slug"]: _sown(VsmModel, values, by, now) for values in seeded_models()}
    for values in seeded_cases():
        _sown(Case, {**values, "model": models.get(values.get("model", ""))}, by, now)
    return hub


def plant(*, now: datetime) -> int:
    """Bring the casebook of the program unless it is here; how many of its entries stand as shipped."""
    shipped = edition()
    if any(kind._default_manager.filter(digest=shipped).exists() for kind in (VsmModel, Case)):
        return 0
    seed_casebook(Hub.objects.get(), by=SYSTEM, now=now)
    return sum(kind._default_manager.filter(digest=shipped).count() for kind in (VsmModel, Case))


def _sown(kind: type[AnyEntry], values: dict[str, Any], by: Actor, now: datetime) -> AnyEntry:
    held: AnyEntry | None = kind._default_manager.filter(slug=values["slug"]).first()
    if held and held.digest in {"", values["digest"]}:
        return held
    entry = held or kind(slug=values["slug"])
    for name, value in values.items():
        setattr(entry, name, value)
    entry.state = State.PUBLISHED
    entry.save()
    note(entry, "seed", by=by, now=now)
    return entry


def _written(entry: AnyEntry, **values: Any) -> AnyEntry:
    for name, value in values.items():
        setattr(entry, name, value)
    Invalid.because(rules.why_not_keep(_as_rules(entry)))
    entry.save()
    return entry


def _named(lines: Sequence[str]) -> dict[str, Any]:
    """Institutions and their identifiers, as they were written: one a line, "Name | identifier"."""
    pairs = [[part.strip() for part in line.partition("|")[::2]] for line in lines if line.strip()]
    return {"institutions": [name for name, _ror in pairs], "rors": {name: ror for name, ror in pairs if ror}}


def _submitted(entry: AnyEntry) -> AnyEntry:
    Refused.because(rules.why_not_submit(_as_rules(entry)))
    entry.approvals = 0
    return entry


def _reviewed(entry: AnyEntry, by: Actor, now: datetime, because: str, *, approved: bool) -> AnyEntry:
    Refused.because(_against_review(entry, by))
    review = CasebookReview(reviewer_id=by.person, round=entry.round, approved=approved, because=because.strip(), at=now, **{entry.noun: entry})
    review.save()
    note(review, "sign", by=by, now=now, because=because)
    if not approved:
        entry.round, entry.approvals = entry.round + 1, 0
        return entry
    entry.approvals += 1
    if rules.is_enough(entry.approvals):
        entry.state, entry.checked_on = State.PUBLISHED, now.date()
    entry.save()
    return entry


def _against_review(entry: Entry, by: Actor) -> Iterator[Reason]:
    earlier = [review.reviewer_id for review in entry.reviews.all() if review.round == entry.round]  # type: ignore[attr-defined]  # -- both kinds have reviews
    return rules.why_not_review(reviewer=by.person_id, author=entry.author_id, earlier=earlier)


def _taken_up(entry: AnyEntry, by: Actor) -> AnyEntry:
    entry.author_id, entry.digest, entry.approvals, entry.round = by.person_id, "", 0, entry.round + 1
    return entry


def _as_rules(entry: Entry) -> rules.Entry:
    """The entry as its rules read it."""
    texts = {"summary": entry.summary}
    chosen: dict[str, tuple[Sequence[str], Sequence[str]]] = {
        "categories": (entry.categories, [each.slug for each in rulebook.categories()]), "credit": ([entry.credit], rules.CREDITS), "bandwidth": ([entry.bandwidth], rules.BANDWIDTHS),
    }  # fmt: skip
    if isinstance(entry, VsmModel):
        chosen |= {"origin": ([entry.origin], rules.ORIGINS), "synchrony": ([entry.synchrony], rules.SYNCHRONIES), "scope": (entry.scope, rules.SCOPES)}
        chosen |= {name: (entry.details.get(name, ()), list(vocabulary()[name])) for name in rules.LISTS}
        return rules.Entry(texts, entry.sources, (), chosen)
    if isinstance(entry, Case):
        texts |= {"lessons": entry.lessons, "unknown": entry.unknown}
        chosen |= {name: (getattr(entry, name), list(vocabulary()[name])) for name in rules.CASE_LISTS}
        chosen |= {"consent": ([entry.consent], rules.CONSENTS), "countries": (entry.countries, list(countries())), "regions": (entry.regions, [code for code, _label in region_choices()])}
        return rules.Entry(texts, entry.sources, entry.claims, chosen, entry.rors)
    raise TypeError(entry.noun)


def _model(pk: UUID | None, by: Actor) -> VsmModel | None:
    found: VsmModel | None = VsmModel.objects.seen_by(by, pk) if pk else None
    return found


def _slug(name: dict[str, str], kind: type[Entry]) -> str:
    stem = _plain(next((text for text in (name.get("en"), *name.values()) if text), ""))
    if not stem:
        raise Invalid(Reason("name-missing", N_("Give the name in at least one language."), {}, "name"))
    taken = set(kind._default_manager.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for number in range(1, len(taken) + 2) if (slug := stem if number == 1 else f"{stem}-{number}") not in taken)


def _plain(text: str) -> str:
    parted = re.sub(r"[\u2010-\u2015]", "-", text)  # Lima–Lyon are two words
    ascii_only = unicodedata.normalize("NFKD", parted).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:60].strip("-")
