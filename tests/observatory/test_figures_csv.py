"""Figures leave as CSV with everything that a reader needs: where a flow goes, how sure a figure is, of how much it speaks."""

import csv
import io
from pathlib import Path

import pytest

from vsm.cli.commands import main
from vsm.exchange.institutions.models import Hub
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.publications.edition import as_csv
from vsm.observatory.publications.queries import FIELDS


def test_a_flow_names_both_ends_and_every_column_is_described() -> None:
    flow = Fact(key="flow.PER.CHL.2019", value=12.0, unit="students", design="descriptive", geo="PER", year=2019, coverage=0.9, extra={"to": "CHL"})
    total = Fact(key="inbound.CHL.2019", value=40.0, unit="students", design="descriptive", geo="CHL", year=2019)
    rows = list(csv.DictReader(io.StringIO(as_csv({fact.key: fact for fact in (flow, total)}))))
    assert [(row["geo"], row["geo2"], row["coverage"]) for row in rows] == [("PER", "CHL", "0.9"), ("CHL", "", "")]
    assert list(rows[0]) == list(FIELDS)


@pytest.mark.django_db
def test_the_command_line_gives_an_indicator_for_regions_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()
    (tmp_path / "uis.csv").write_text("indicatorId,geoUnit,year,value,qualifier,magnitude\n26637,PER,2021,10,,\n26637,COL,2021,30,,\n")
    (tmp_path / "andes.csv").write_text("region,geo\nandes,PER\nandes,COL\nandes,BOL\n")
    assert main(["observatory", "load", str(tmp_path / "uis.csv")]) == 0
    capsys.readouterr()
    assert main(["observatory", "indicator", "regional-sum", "--regions", str(tmp_path / "andes.csv")]) == 0
    assert list(csv.DictReader(io.StringIO(capsys.readouterr().out))) == [{"geo": "andes", "year": "2021", "value": "40.0", "low": "40.0", "high": "", "coverage": "0.6666666666666666"}]
    assert main(["observatory", "indicator"]) == 0
    assert "matched-growth" in capsys.readouterr().out
    assert (main(["observatory", "indicator", "happiness"]), main(["observatory", "indicator", "dissimilarity"])) == (2, 2)
    assert "In a notebook" in capsys.readouterr().err
