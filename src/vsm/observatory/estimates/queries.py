"""What doors read of runs and facts."""

from typing import Any

from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from vsm.kit.resources import Filter, Resource, Shown, resource
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.estimates.models import EstimateRun
from vsm.observatory.estimates.studies import STUDIES
from vsm.observatory.geography import name_of
from vsm.observatory.sources.queries import current_releases

STUDY_LABELS: dict[str, Any] = {
    "covid-effect": _("Effect of COVID-19 against the trend before it"),
    "covid-local-linear": _("Effect of COVID-19 against a local linear trend"),
    "covid-interrupted": _("Effect of COVID-19 as an interrupted series"),
    "covid-panel": _("Effect of COVID-19 on the countries that report every year"),
    "covid-mixtures": _("Effect of COVID-19 on closed hosts against mixtures of others"),
    "covid-closure": _("Effect of closed borders, by how long they were closed"),
    "gravity": _("What draws students: distance, language, ties"),
    "outlook": _("Prospects to 2030"),
    "lac": _("Latin America and the Caribbean: balances and equity"),
    "vsm": _("Virtual mobility of the institutions here"),
}


def gate_label(code: str) -> str:
    """What a gate asks, in the reader's language."""
    if code.startswith("coverage-"):
        ahead = int(code.removeprefix("coverage-"))
        return ngettext("Share of past years that the band covered, %(years)s year ahead", "Share of past years that the band covered, %(years)s years ahead", ahead) % {"years": ahead}
    if code.startswith("misfit-"):
        return gettext("How far the mixture misses %(place)s before 2020") % {"place": name_of(code.removeprefix("misfit-"), get_language() or "en")}
    return str(GATE_LABELS.get(code, code))


GATE_LABELS: dict[str, Any] = {
    "better-than-naive": _("Error in the past, no larger than that of “as last year”"), "placebos": _("Placebo years that the band rests on"),
    "reporters": _("Countries that report both ways"), "lower-bound-holds": _("Lower bound of who stays, no larger than what was published"),
    "parity.rural-urban": _("Countries with rural and urban attendance"), "parity.poorer-richest": _("Countries with attendance by wealth"),
    "parity.women-men": _("Countries with attendance of women and men"),
    "institutions": _("Institutions that agreed to pool their counts"), "told-share": _("Share of counts that may be told"),
    "hosts": _("Hosts that it rests on"), "placebo-covers-zero": _("Effect where nothing happened, within its band"), "zeros-kept": _("Share of flows that are zero and kept"),
    "breaks-applied": _("Decisions about breaks that could be carried out"),
}  # fmt: skip


def study_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(kind, str(STUDY_LABELS.get(kind, kind))) for kind in STUDIES]


OWN = "own:"


def source_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    """Publishers, or a series of a table of one's own."""
    named = sorted({key.rstrip("@") for release in current_releases(("own",)) for key in release.covers})
    return [("", str(_("Of publishers"))), *((f"{OWN}{name}", str(_("Own table: %(series)s") % {"series": name})) for name in named)]


def study_label(kind: str) -> str:
    """The name of a study; of one on a table of one's own with its series."""
    study, _at, source = kind.partition("@")
    label = str(STUDY_LABELS.get(study, study))
    return f"{label} ({source.removeprefix(OWN)})" if source else label


def newest_run(kind: str) -> EstimateRun | None:
    found: EstimateRun | None = EstimateRun.objects.filter(kind=kind).order_by("-number").first()
    return found


def facts_of(run: EstimateRun) -> dict[str, Fact]:
    """The facts of a run by key."""
    return {key: Fact.from_json(kept) for key, kept in run.facts.items()}


ESTIMATE_RUN = resource(
    Resource(
        "estimate_run", "estimate-runs", EstimateRun, _("Run of a study"), _("Runs of studies"),
        lambda run: f"{study_label(run.kind)} · {run.number}",
        fields=(
            Shown("kind", _("Study"), lambda r: r.kind, listed=True, sort="kind", words=study_label),
            Shown("number", _("Number"), lambda r: r.number, "integer", listed=True, sort="number"),
            Shown("made_at", _("Made"), lambda r: r.created_at, "moment", listed=True, sort="created_at"),
            Shown("experimental", _("Experimental"), lambda r: r.experimental, "bool", listed=True, sort="experimental"),
            Shown("figures", _("Figures"), lambda r: len(r.facts), "integer", listed=True),
            Shown("digest", _("Fingerprint"), lambda r: r.digest, "digest"),
            Shown("inputs", _("Releases used"), lambda r: r.inputs, "json", detail=False),
            Shown("parameters", _("Parameters"), lambda r: r.parameters, "json", detail=False),
            Shown("gates", _("Gates"), lambda r: r.gates, "json", detail=False),
            Shown("facts", _("Facts"), lambda r: r.facts, "json", detail=False),
        ),
        filters=(Filter("kind", _("Study"), lambda found, value: found.filter(kind=value), choices=lambda _actor: study_choices()),),
        starts=(("hub", "run_study"),), empty=_("No run yet. The operator starts one: vsm observatory run STUDY."),
    )
)  # fmt: skip
