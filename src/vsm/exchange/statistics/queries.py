"""The Observatory's only window: counts of who took part, pooled over the institutions that consent, protected. And what
doors read of the consents."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue.categories import all_categories
from vsm.exchange.institutions.queries import organisation_ref
from vsm.exchange.statistics import attack, gathering, rules
from vsm.exchange.statistics.models import PoolingConsent, ToldYear
from vsm.exchange.statistics.rules import ALL, UNKNOWN, Telling, Unit
from vsm.kit.localized import text_in
from vsm.kit.resources import Resource, Shown, resource, state_filter
from vsm.rulebook import groups

CONSENT_STATES = {"given": (_("Pooled"), "good"), "withdrawn": (pgettext_lazy("consent", "Withdrawn"), "neutral")}
MODE_LABELS = {"synchronous": _("Live meetings"), "asynchronous": _("In your own time"), "mixed": _("Live and in your own time")}
BANDWIDTH_LABELS = {"text": _("Works with text alone"), "audio": _("Needs sound"), "video": _("Needs video")}
CREDIT_LABELS = {"with": _("With credit"), "without": _("Without credit")}
NOT_RECORDED = _("Not recorded")


@dataclass(frozen=True)
class Cell:
    """One count. `dimension` and `value` are empty for the total; `count` is None where it is withheld, else a multiple of 5."""

    year: int
    dimension: str
    value: str
    measure: str
    count: int | None


@dataclass(frozen=True)
class Pooled:
    """What may be told of everybody together. `institutions` is how many agree; of the years `too_few` fewer than three
    institutions had anybody, so nothing is told. `checked` is how many withheld counts the attacker tried in vain. `tellings`
    by family and year: whoever publishes the cells keeps them first (`actions.remember`). Of the years `standing` what was told
    before stands as it was, though somebody has withdrawn or waits to come in."""

    cells: tuple[Cell, ...]
    institutions: int
    too_few: tuple[int, ...]
    checked: int
    tellings: Mapping[tuple[str, int], Telling]
    standing: tuple[int, ...]


def pooled() -> Pooled:
    """Count, protect, and let the attacker try every year before it is given away, beside what he was given of it before.
    Reads many records: for a worker."""
    homes = gathering.consenting()
    is_told = len(homes) >= rules.INSTITUTIONS
    families: dict[str, list[Unit]] = {ALL: gathering.begun(homes), **{f"group.{slug}": units for slug, units in gathering.said(homes).items()}} if is_told else {}
    before = told_before() if is_told else {}
    years: dict[tuple[str, int], list[Unit]] = defaultdict(list)
    for family, units in families.items():
        for unit in units:
            years[family, unit.year].append(unit)
    tellings, too_few = {}, set()
    for family, year in sorted({*years, *before}):
        telling = rules.next_telling(before.get((family, year)), years[family, year], homes, attack.reach, attack.subtract)
        if telling:
            tellings[family, year] = telling
        else:
            too_few |= {year}
    # Each group's total is of those who were asked about it, not of everybody: it stands under the group's name.
    cells = tuple(
        Cell(year, dimension or family, value or ("all" if family else ALL), measure, count)
        for (family, year), telling in tellings.items() for (dimension, value, measure), count in sorted(telling.told.items())
    )  # fmt: skip
    standing = {year for (_family, year), telling in tellings.items() if telling.homes != homes}
    return Pooled(cells, len(homes), tuple(sorted(too_few)), sum(cell.count is None for cell in cells), tellings, tuple(sorted(standing)))


def told_before() -> dict[tuple[str, int], Telling]:
    """What was told last, by family and year."""
    return {
        (row.family, row.year): Telling(frozenset(row.homes), {(dimension, value, measure): count for dimension, value, measure, count in row.cells})
        for row in ToldYear.objects.all()
    }  # fmt: skip


def label_of(dimension: str, value: str, language: str) -> str:
    """How a value of a breakdown is called in a language."""
    if value == UNKNOWN:
        return str(NOT_RECORDED)
    if dimension == "category":
        return text_in(next(each.name for each in all_categories() if each.slug == value), language)
    if dimension == "offset":
        return str(_("%(from)s to %(to)s hours") % dict(zip(("from", "to"), value.split("-"), strict=True)))
    return str({"credit": CREDIT_LABELS, "mode": MODE_LABELS, "bandwidth": BANDWIDTH_LABELS}[dimension][value])


def group_labels(language: str) -> dict[str, str]:
    """The groups that students may say they belong to, by name."""
    return {each.slug: text_in(each.name, language) for each in groups()}


def _title(consent: Any) -> str:
    return text_in(consent.organisation.name, get_language() or "en")


POOLING_CONSENT = resource(
    Resource(
        "pooling_consent", "pooling-consents", PoolingConsent, _("Consent to pool counts"), _("Consents to pool counts"), _title,
        fields=(
            Shown("organisation", _("Institution"), lambda c: organisation_ref(c.organisation), "ref", listed=True, sort="organisation__schac"),
            Shown("state", _("State"), lambda c: c.state, "state", listed=True, sort="state"),
            Shown("given_at", pgettext_lazy("consent", "Given"), lambda c: c.given_at, "moment", listed=True, sort="given_at"),
            Shown("withdrawn_at", pgettext_lazy("consent", "Withdrawn"), lambda c: c.withdrawn_at, "moment"),
            Shown("because", _("Reason"), lambda c: c.because, "long_text"),
        ),
        filters=(state_filter(CONSENT_STATES),), order="organisation__schac", related=("organisation",), starts=(("organisation", "pool_counts"),), states=CONSENT_STATES,
        empty=_("No institution has agreed yet. An office agrees on the page of its institution: “Pool our counts”."),
    )
)  # fmt: skip
