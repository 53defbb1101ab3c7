"""The same question by other designs: what the pandemic changed, told by each study that has been run, side by side."""

from django.utils.translation import gettext as _

from vsm.observatory.estimates.facts import Fact
from vsm.observatory.estimates.queries import STUDY_LABELS
from vsm.observatory.geography import name_of
from vsm.observatory.publications.charts import Bar, bars
from vsm.web.public.observatory_pictures import along, told, word
from vsm.web.public.observatory_reading import Study, study
from vsm.web.public.observatory_sheets import Figure, reader

BY_REGION = ("covid-effect", "covid-local-linear", "covid-interrupted", "covid-panel")


def compared(year: int) -> list[Figure]:
    """What there is of: the world by each method; closed hosts against mixtures; closure by its dose."""
    return [figure for figure in (by_method(year), by_mixture(year), by_dose()) if figure]


def by_method(year: int) -> Figure | None:
    """The world's gap as each method finds it. Where they disagree, the answer hangs on the method, and that is the finding."""
    found = [(kind, kept.facts[f"gap.world.{year}"], kept) for kind in BY_REGION if f"gap.world.{year}" in (kept := study(kind)).facts]
    if len(found) < 2:
        return None
    labels = {
        "covid-effect": _("Trend of ten years"), "covid-local-linear": _("Local linear trend"), "covid-interrupted": _("Interrupted series"),
        "covid-panel": _("Those that report every year"),
    }  # fmt: skip
    title = _("The world by each method, %(year)s") % {"year": year}
    rows = [Bar(labels[kind], fact.value or 0.0, fact.low or 0.0, fact.high or 0.0, told(fact, "signed"), told(fact, "band")) for kind, fact, _kept in found]
    facts = [Fact(**{**fact.as_json(), "key": f"{kind}:{fact.key}"}) for kind, fact, _kept in found]
    unknown = _("Which of these paths the world would have taken. All of them read the years before 2020 alone; none knows of events that fell together with the pandemic.")
    drawing = bars(title, word("bars"), rows, (_("Method"), word("value"), word("band")), along("share"))
    return Figure("methods", title, drawing, facts, unknown, run=found[0][2].run, note=_marked([kept for _kind, _fact, kept in found]), sdg=("4.b",))


def by_mixture(year: int) -> Figure | None:
    """Hosts that were closed, against a mixture of hosts that were not."""
    kept = study("covid-mixtures")
    facts = [fact for key, fact in kept.facts.items() if key.startswith("gap.") and fact.year == year]
    if not facts:
        return None
    title = _("Closed hosts against a mixture of others, %(year)s") % {"year": year}
    rows = [Bar(name_of(fact.geo, reader()), fact.value or 0.0, fact.low or 0.0, fact.high or 0.0, told(fact, "signed"), told(fact, "band")) for fact in facts]
    donors = sorted((fact for key, fact in kept.facts.items() if key.startswith("donor.") and (fact.value or 0) > 0.05), key=lambda fact: -(fact.value or 0.0))
    named = ", ".join(dict.fromkeys(f"{name_of(fact.geo, reader())} {told(fact)}" for fact in donors[:8]))
    unknown = _("Whether students whom closed hosts lost went to the others: then the gap looks larger than the loss. The choice of donors moves it; they are: %(donors)s.") % {"donors": named}
    drawing = bars(title, word("bars"), rows, (word("place"), word("value"), word("band")), along("share"))
    return Figure("mixtures", title, drawing, [*facts, *donors], unknown, run=kept.run, sdg=("4.b",))


def by_dose() -> Figure | None:
    """What full closure changed, and the same asked of a year in which nothing was closed."""
    kept = study("covid-closure")
    labels = {"closure.effect": _("Borders closed throughout"), "closure.placebo": _("The same asked of 2015")}
    facts = [kept.facts[key] for key in labels if key in kept.facts]
    if not facts:
        return None
    title = _("What closed borders changed, in log points")
    rows = [Bar(labels[fact.key], fact.value or 0.0, fact.low or 0.0, fact.high or 0.0, told(fact, "signed"), told(fact, "band")) for fact in facts]
    unknown = _("Who was exempt from a closure, and who enrolled from home and counts as abroad. The sign is sturdy, the size is not.")
    drawing = bars(title, word("bars"), rows, (_("Comparison"), word("value"), word("band")), along(facts[0].unit))
    return Figure("closure", title, drawing, facts, unknown, run=kept.run, sdg=("4.b",))


def _marked(found: list[Study]) -> str:
    """Which of these a gate has failed."""
    failed = [str(STUDY_LABELS[kept.run.kind]) for kept in found if kept.run and kept.run.experimental]
    return _("A gate failed in: %(studies)s.") % {"studies": "; ".join(failed)} if failed else ""
