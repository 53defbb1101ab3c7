"""The Observatory's only window: counts of who took part, pooled over the institutions that consent, protected. And what
doors read of the consents."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue.categories import all_categories
from vsm.exchange.institutions.queries import organisation_ref
from vsm.exchange.statistics import attack, gathering, rules
from vsm.exchange.statistics.models import PoolingConsent
from vsm.exchange.statistics.rules import ALL, UNKNOWN, Unit
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
    """What may be told of everybody together. `institutions` is how many are pooled; of the years `too_few` fewer than three
    institutions had anybody, so nothing is told. `checked` is how many withheld counts the attacker tried in vain."""

    cells: tuple[Cell, ...]
    institutions: int
    too_few: tuple[int, ...]
    checked: int


def pooled() -> Pooled:
    """Count, protect, and let the attacker try every year before it is given away. Reads many records: for a worker."""
    homes = gathering.consenting()
    families: list[list[Unit]] = [gathering.begun(homes), *gathering.said(homes).values()] if len(homes) >= rules.INSTITUTIONS else []
    cells: list[Cell] = []
    too_few: set[int] = set()
    for family in families:
        for year, units in sorted(_by_year(family).items()):
            if not rules.enough(units):
                too_few |= {year}
                continue
            told = rules.protected_together(*rules.counted(units), attack.reach)
            group = next((name for unit in units for name in unit.facts if name.startswith("group.")), "")
            # Each group's total is of those who were asked about it, not of everybody: it stands under the group's name.
            cells += [Cell(year, dimension or group, value or ("all" if group else ALL), measure, count) for (dimension, value, measure), count in sorted(told.items())]
    return Pooled(tuple(cells), len(homes), tuple(sorted(too_few)), sum(cell.count is None for cell in cells))


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


def _by_year(units: Iterable[Unit]) -> dict[int, list[Unit]]:
    found: dict[int, list[Unit]] = defaultdict(list)
    for unit in units:
        found[unit.year].append(unit)
    return found


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
