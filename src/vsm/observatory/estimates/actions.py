"""Running a study: from the observations of today, as people decided about their breaks, to facts that are kept."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from django.utils.translation import gettext_lazy as _

from vsm.exchange.institutions.models import Hub
from vsm.kit.actions import Ask, action
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, Refused, Unavailable
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.estimates.decided import carried_out, decided
from vsm.observatory.estimates.facts import checked
from vsm.observatory.estimates.models import EstimateRun
from vsm.observatory.estimates.queries import OWN, source_choices, study_choices
from vsm.observatory.estimates.series import TooLittle
from vsm.observatory.estimates.studies import STUDIES, Study
from vsm.observatory.indicators.measures import INBOUND
from vsm.observatory.sources.loaders.facts_lac import IN, NET
from vsm.observatory.sources.observations import observations
from vsm.observatory.sources.queries import current_releases, decisions
from vsm.observatory.sources.registry import sources

Source = Annotated[str, Ask(_("Figures"), _("A table of your own passes the same gates as those of a publisher."), choices=source_choices)]


@action("run_study", on=Hub, label=_("Run a study"), allow=("operator",))
def run_study(hub: Hub, *, by: Actor, now: datetime, kind: Annotated[str, Ask(_("Study"), choices=study_choices)], source: Source = "") -> EstimateRun:
    """Compute a study from the newest releases, with every break as it was decided, and keep its facts. The same inputs and
    decisions again give the run that is there.

    `source` is empty for what publishers tell, or "own:SERIES" for a series of a table of one's own in place of the
    students from abroad; such runs are kept apart ("covid-effect@own:SERIES").
    """
    del hub, by, now
    if kind not in STUDIES:
        raise Invalid(Reason("study-unknown", N_("There is no study “%(kind)s”. Known: %(known)s."), {"kind": kind, "known": ", ".join(STUDIES)}, "kind"))
    study, own = STUDIES[kind], source.removeprefix(OWN) if source else ""
    _look(study, own)
    rows = _rows(study, own)
    # A study that does not read the series has nothing to carry out, and no gate about it.
    choices = decisions("own", own) if own else decisions("uis", INBOUND) if any(re.fullmatch(pattern, INBOUND) for pattern in study.series) else {}
    found = decided(rows, choices, series=INBOUND, derived=(IN, NET))
    try:
        facts, gates = study.run(found.rows)
    except (ValueError, Unavailable) as cause:  # too few places or years to compare, or a library that is not installed
        lacking = cause.reason if isinstance(cause, TooLittle) else cause.reasons[0] if isinstance(cause, Unavailable) else str(cause)
        raise Refused(Reason("study-impossible", N_("The study “%(kind)s” cannot be run on what is loaded: %(cause)s"), {"kind": kind, "cause": lacking})) from cause
    gates = [*gates, *carried_out(found, choices)]
    facts = found.told(facts, apart=study.apart)
    if own:
        facts = [replace(fact, source="own") if fact.source else fact for fact in facts]
    chosen = {"breaks": sorted(f"{geo} {each.year} {each.decision}" for geo, some in choices.items() for each in some)} if choices else {}
    return _kept(f"{kind}@{source}"[:120] if own else kind, _inputs(rows), {**study.parameters, **chosen}, checked(facts), gates)


def _kept(kind: str, inputs: Mapping[str, str], parameters: Mapping[str, Any], facts: Mapping[str, Any], gates: Sequence[Any]) -> EstimateRun:
    kept = {key: fact.as_json() for key, fact in facts.items()}
    digest = hashlib.sha256(json.dumps([kind, inputs, parameters, kept], sort_keys=True).encode()).hexdigest()
    held: EstimateRun | None = EstimateRun.objects.filter(kind=kind, digest=digest).first()
    if held:
        return held
    number = EstimateRun.objects.filter(kind=kind).count() + 1
    run = EstimateRun(
        kind=kind, number=number, inputs=inputs, parameters=dict(parameters), facts=kept, digest=digest,
        gates=[[gate.code, bool(gate.passed), float(gate.figure), float(gate.asked)] for gate in gates], experimental=not all(gate.passed for gate in gates),
    )  # fmt: skip
    run.save()
    return run


def _look(study: Study, own: str) -> None:
    """Whether everything is loaded, by what releases say that they cover: nothing is read for it. Raises `Refused`, and
    `Invalid` where a table of one's own can never suffice."""
    if own and study.series != (INBOUND,):
        text = N_("The study “%(kind)s” needs more than one yearly series, so it cannot be run on a table of your own.")
        raise Invalid(Reason("study-needs-more", text, {"kind": study.kind}, "source"))
    releases = current_releases(("own",) if own else tuple(slug for slug in sources() if slug != "own"))
    covered = {key for release in releases for key in release.covers}
    needed = (re.escape(own) + "@?",) if own else study.needs
    if not all(any(re.fullmatch(need, key) for key in covered) for need in needed):
        raise Refused(Reason("no-observations", N_("Nothing is loaded yet. Fetch a source or load a file: vsm observatory load FILE.")))


def _rows(study: Study, own: str) -> list[dict[str, Any]]:
    """The observations of a study, each source apart: a table of one's own never mixes with what publishers tell."""
    table = observations(source=("own",) if own else tuple(slug for slug in sources() if slug != "own"))
    asked = table.series == own if own else table.series.re_search(f"^({'|'.join(study.series)})$")
    chosen = table.filter(asked & ~table.magnitude.isin(["INCLUDES", "INCLUDED"]))
    if not study.daily:
        chosen = chosen.filter(chosen.day.isnull())
    if not study.flows:
        chosen = chosen.filter(chosen.geo2 == "")
    rows: list[dict[str, Any]] = chosen.select("series", "geo", "geo2", "year", "day", "value", "source", "release").to_pyarrow().to_pylist()
    return [{**row, "series": INBOUND} for row in rows] if own else rows


def _inputs(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Every release that gave a figure: the first of a source by the source's name, further ones by "name 2", "name 3"."""
    found: dict[str, str] = {}
    for source, release in sorted({(row["source"], row["release"]) for row in rows}):
        times = sum(name.partition(" ")[0] == source for name in found)
        found[f"{source} {times + 1}" if times else source] = release
    return found
