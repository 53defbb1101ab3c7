"""The mapping file: every mistake at once, each with its place."""

import re
from datetime import date
from pathlib import Path

import pytest

from vsm.exchange.catalogue.candidates import Candidate
from vsm.exchange.catalogue.mapping import Mapping
from vsm.exchange.catalogue.mapping_parts import FACTS, TEXTS
from vsm.exchange.catalogue.reading import read
from vsm.exchange.catalogue.weekly import Meeting, meetings_in, time_in, weekdays_in, written
from vsm.kit.errors import Invalid

ROOT = Path(__file__).parents[3]
SECTIONS = (ROOT / "tests/fixtures/catalogue/sections.yaml").read_text()
HANDBOOK = (ROOT / "docs/handbook/import.md").read_text()


def places(text: str) -> list[str]:
    with pytest.raises(Invalid) as refused:
        Mapping.parse(text)
    return sorted({reason.field for reason in refused.value.reasons})


@pytest.mark.parametrize("path", sorted((ROOT / "examples/mappings").glob("*.yaml")), ids=lambda path: path.name)
def test_each_shipped_mapping_is_without_mistake(path):
    assert Mapping.read(path).columns


def test_all_mistakes_are_told_at_once_with_their_places():
    text = (
        SECTIONS.replace("audio", "smoke signals")
        .replace("100-499", "499-100")
        .replace("2027-12-03", "2027-06-31")
        .replace("hours-prose", "guessing")
        .replace("name:", "nmae:")
        .replace("M: 0", "M: 9")
        .replace("html_entities: true", "html_entities: perhaps")
    )
    assert places(text) == [
        "",
        "credits.parser",
        "dates.periods.2027-2",
        "facts.bandwidth",
        "facts.level.ranges",
        "meetings.letters.M",
        "source.html_entities",
    ]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("{constant: es}", "{constant: es, column: Name}", "facts.language"),
        ("{constant: es}", "{}", "facts.language"),
        ("{constant: es}", "es", "facts.language"),
        ("{constant: es}", '{template: "{Name"}', "facts.language.template"),
        ("seats: {column: Seats, default: 3}", "seats: {}", "seats"),
        ("seats: {column: Seats, default: 3}", "seats: {constant: some}", "seats.constant"),
        ("  column: Term\n", "  starts_on: Term\n", "dates"),
        ("  days: Days\n", "  cell: Days\n", "meetings"),
        ("values: [P]", "values: P", "refuse.0.values"),
        ("{es: Nombre, en: Name}", "{es: Nombre, xx: Name}", "texts.title"),
        ("from: description", "from: assessment", "split.prerequisites"),
        ("mixed: {mode: mixed}", "mixed: {mode: both}", "mixed.mode"),
        ("source: {", "source: {encoding: utf-16, ", "source.encoding"),
        ("source: {", "source: {delimiter: '||', ", "source.delimiter"),
    ],
)
def test_a_mistake_is_told_with_its_place(old, new, place):
    assert SECTIONS.count(old) == 1
    assert places(SECTIONS.replace(old, new)) == [place]


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2", "- just\n- a list", "", "text"])
def test_what_is_no_mapping_at_all_is_refused(text):
    with pytest.raises(Invalid):
        Mapping.parse(text)


def test_words_that_yaml_would_turn_into_truth_values_stay_words():
    mapping = Mapping.parse(SECTIONS.replace("MAT:", "NO:").replace("HIS:", "ON:"))
    assert mapping.facts["isced_f"].table == {"NO": "0541", "ON": "0222"}


def test_periods_become_dates():
    assert Mapping.parse(SECTIONS).dates.periods["2027-1"] == (date(2027, 1, 11), date(2027, 5, 7))


def test_a_header_that_lacks_columns_or_has_one_twice_is_told_all_at_once():
    mapping = Mapping.parse(SECTIONS)
    header = [column for column in mapping.columns if column not in ("Seats", "Credit")] + ["Term"]
    assert [(reason.code, reason.field) for reason in mapping.unmet(header)] == [
        ("column-missing", "Credit"),
        ("column-missing", "Seats"),
        ("column-twice", "Term"),
    ]
    assert mapping.unmet(mapping.columns) == []


@pytest.mark.parametrize(
    ("text", "clock", "expected"),
    [
        ("10:00 AM", "12-hour", "10:00"),
        ("12:00 PM", "12-hour", "12:00"),
        ("12:30 AM", "12-hour", "00:30"),
        ("1:50 p.m.", "12-hour", "13:50"),
        ("9:05", "24-hour", "09:05"),
        ("13:00 PM", "12-hour", None),
        ("10:60 AM", "12-hour", None),
        ("24:00", "24-hour", None),
        ("10:00", "12-hour", None),
        ("١٠:٠٠", "24-hour", None),
    ],
)
def test_clock_times(text, clock, expected):
    assert time_in(text, clock) == expected


def test_weekday_letters():
    letters = {"M": 0, "T": 1, "W": 2, "R": 3, "F": 4, "S": 5, "U": 6}
    assert weekdays_in("MTWRFSU", letters) == (0, 1, 2, 3, 4, 5, 6)
    assert weekdays_in("R T", letters) == (1, 3)
    assert weekdays_in("MX", letters) is None
    assert weekdays_in("MM", letters) is None


def test_meetings_in_one_cell_read_back_as_written():
    meetings = (Meeting(0, "09:00", "10:50", "Lecture, group A"), Meeting(4, "14:00", "15:00"))
    assert meetings_in(written(meetings)) == meetings
    assert meetings_in("") == ()
    for cell in ("Mo 09:00-10:00", "Mon 10:00-09:00", "Mon 9-10", "Mon 09:00-10:00; ?", "Mon 25:00-26:00"):
        assert meetings_in(cell) is None


def test_the_handbook_shows_a_mapping_that_works(tmp_path):
    mapping_text, csv_text = re.findall(r"```(?:yaml|csv)\n(.*?)```", HANDBOOK, re.DOTALL)[:2]
    file = tmp_path / "catalogue.csv"
    file.write_text(csv_text, encoding="utf-8")
    outcomes = list(read(file, Mapping.parse(mapping_text)))
    assert [(o.offering_key, o.lines) for o in outcomes if isinstance(o, Candidate)] == [("DER/210/2027-1", (2, 3))]
    assert [(o.line, o.reasons[0].code) for o in outcomes if not isinstance(o, Candidate)] == [(4, "credit-unreadable")]


def test_the_handbook_names_every_fact_text_and_column():
    columns = Mapping.read(ROOT / "examples/mappings/openvsm.yaml").columns
    unnamed = [name for name in (*FACTS, *TEXTS) if f"`{name}`" not in HANDBOOK]
    families = {
        column.rsplit("_", 1)[0] if column[-3:] in ("_es", "_pt", "_en", "_fr") else column for column in columns
    }
    assert (unnamed, sorted(family for family in families if f"`{family}`" not in HANDBOOK)) == ([], [])
