"""Reading catalogue files: folding, refusing, and the account that always balances."""

import csv
import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.beside import SECTIONS as REAL
from tests.beside import needs
from vsm.exchange.catalogue.candidates import Candidate, RefusedRow
from vsm.exchange.catalogue.mapping import Mapping
from vsm.exchange.catalogue.reading import read
from vsm.exchange.catalogue.weekly import Meeting
from vsm.kit.errors import Invalid

ROOT = Path(__file__).parents[3]
FIXTURES = ROOT / "tests/fixtures/catalogue"

SECTIONS = Mapping.read(FIXTURES / "sections.yaml")
OWN = Mapping.read(ROOT / "examples/mappings/openvsm.yaml")
PLAIN = (FIXTURES / "sections.csv").read_bytes()


def taken(raw: bytes, mapping: Mapping = SECTIONS) -> tuple[list[Candidate], list[RefusedRow]]:
    outcomes = list(read(io.BytesIO(raw), mapping))
    return [o for o in outcomes if isinstance(o, Candidate)], [o for o in outcomes if isinstance(o, RefusedRow)]


def refused(raw: bytes, mapping: Mapping = SECTIONS) -> list[tuple[tuple[int, ...], list[str]]]:
    return [(row.lines, [reason.code for reason in row.reasons]) for row in taken(raw, mapping)[1]]


def edited(old: bytes, new: bytes) -> bytes:
    assert PLAIN.count(old) == 1
    return PLAIN.replace(old, new)


def accounted(raw: bytes, mapping: Mapping = SECTIONS) -> list[int]:
    """Every physical line that some outcome accounts for, in order."""
    return sorted(line for outcome in read(io.BytesIO(raw), mapping) for line in outcome.lines)


def test_sections_fold_into_one_offering_per_course_and_term():
    candidates, refusals = taken(PLAIN)
    assert [(c.offering_key, c.lines) for c in candidates] == [
        ("MAT/101/2027-1", (2, 3)),
        ("MAT/101/2027-2", (4,)),
        ("HIS/510/2027-1", (5, 6)),
    ]
    assert [(row.lines, row.reasons[0].params["reason"]) for row in refusals] == [((7, 8), "The section is pending.")]


def test_a_folded_offering_holds_the_facts_of_all_its_sections():
    offering = taken(PLAIN)[0][0].offering
    assert offering.mode == "mixed"
    assert offering.seats == 13
    assert (offering.starts_on, offering.ends_on) == (date(2027, 1, 11), date(2027, 5, 7))
    assert offering.meetings == (Meeting(0, "10:00", "11:50", "Online A1"), Meeting(2, "10:00", "11:50", "Online A1"))


def test_texts_are_decoded_localized_and_split():
    opportunity = taken(PLAIN)[0][0].opportunity
    assert opportunity.title == {"es": "Álgebra & geometría", "en": "Algebra & Geometry"}
    assert opportunity.description == {"en": 'Lines, planes and "shapes".'}
    assert opportunity.prerequisites == {"en": "None."}


def test_facts_come_from_tables_ranges_and_prose():
    algebra, _, history = (candidate.opportunity for candidate in taken(PLAIN)[0])
    assert (algebra.code, algebra.isced_f, algebra.level) == ("MAT 101", "0541", "bachelor")
    assert (algebra.credits_low, algebra.credits_high) == (Decimal(3), Decimal(4))
    assert algebra.credit_values == (Decimal(3), Decimal(4))
    assert (history.level, history.credits_low, history.credits_high, history.credit_values) == (
        "master",
        Decimal(1),
        Decimal(4),
        (),
    )


def test_the_hash_covers_content_and_not_line_numbers():
    before = [c.content_hash for c in taken(PLAIN)[0]]
    assert [
        c.content_hash for c in taken(PLAIN.replace(b"\nMAT,101,2027-1,A1", b"\n\n\nMAT,101,2027-1,A1"))[0]
    ] == before
    changed = [c.content_hash for c in taken(edited(b"TR,12:00 PM", b"TR,12:05 PM"))[0]]
    assert [old == new for old, new in zip(before, changed, strict=True)] == [True, False, True]


def test_a_changed_title_changes_the_opportunity_and_not_the_offering():
    old, new = taken(PLAIN)[0][2], taken(PLAIN.replace(b"History of the Pacific", b"Pacific History"))[0][2]
    assert old.opportunity_hash != new.opportunity_hash
    assert old.offering_hash == new.offering_hash


def test_our_own_format_reads_every_column():
    candidates, refusals = taken((FIXTURES / "openvsm.csv").read_bytes(), OWN)
    assert refusals == []
    first = candidates[0]
    assert first.opportunity.title == {"es": "Ecología costera", "pt-br": "Ecologia costeira", "en": "Coastal Ecology"}
    assert first.opportunity.workload_hours == Decimal(130)
    assert (first.offering.zone, first.offering.seats, first.offering.term) == ("America/Lima", 12, "2027-1")
    assert first.offering.meetings == (
        Meeting(0, "18:00", "19:50", "Clase"),
        Meeting(2, "18:00", "18:50", "Laboratorio"),
    )
    assert [c.offering_key for c in candidates] == ["BIO-210/2027-1", "BIO-210/2027-2", "ART-7/2027-1"]


def test_a_formula_is_stored_as_the_text_that_it_is():
    title = taken((FIXTURES / "openvsm.csv").read_bytes(), OWN)[0][2].opportunity.title
    assert title == {"es": '=HYPERLINK("http://example.invalid")'}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"A3,\xc3\x81", b"A3,\xff", [((4,), ["undecodable"])]),
        (b"A3,\xc3\x81", b"A3,\x00\xc3\x81", [((4,), ["control-character"])]),
        (b"A3,\xc3\x81", b"A3," + b"x" * 30_000, [((4,), ["cell-too-long"])]),
        (b"A3,\xc3\x81", b"A3," + b"x" * 2_000_000, [((4,), ["line-too-long"])]),
        (b"Online,5,TR", b"Online,5,TX", [((4,), ["meeting-unreadable"])]),
        (b"01:15 PM", b"11:15 AM", [((4,), ["meeting-unreadable"])]),
        (b"Online,5,TR", b"On campus,many,TR", [((4,), ["not-in-mapping", "seats"])]),
        (b"MAT,101,2027-2,A3", b"MAT,999,2027-3,A3", [((4,), ["not-in-mapping", "period-unknown"])]),
        (b"MAT,101,2027-2,A3", b"MAT,101,2027-2,", [((4,), ["key-empty"])]),
        (b"MAT,101,2027-2,A3", b"MAT,101,2027-2,A1", [((4,), ["section-twice"])]),
        (b"MAT,101,2027-2,A3", b"MAT,101,2027-2,A3,", [((4,), ["cell-count"])]),
    ],
)
def test_a_bad_row_is_refused_with_every_reason_and_the_others_are_taken(old, new, expected):
    raw = edited(old, new)
    assert refused(raw) == [*expected, ((7, 8), ["not-wanted"])]
    assert accounted(raw) == list(range(2, 9))


def test_a_row_that_repeats_another_word_for_word_is_refused():
    line = PLAIN.splitlines(keepends=True)[3]
    assert refused(PLAIN + line)[-1] == ((9,), ["repeated"])


def test_a_section_of_which_one_row_is_refused_is_refused_whole():
    raw = PLAIN.replace(b"A2,", b"A1,").replace(b"Self-paced", b"On campus")
    assert refused(raw) == [((3,), ["not-in-mapping"]), ((7, 8), ["not-wanted"]), ((2,), ["section-incomplete"])]


def test_contradictions_between_sections_are_reported_and_the_first_line_stands():
    raw = PLAIN.replace(b"Algebra &amp; Geometry", b"Algebra", 1)
    first, second, _ = taken(raw)[0]
    assert first.opportunity.title["en"] == second.opportunity.title["en"] == "Algebra"
    remarks = [
        (r.line, r.reason.code, r.reason.field, r.reason.params["line"]) for c in (first, second) for r in c.remarks
    ]
    assert remarks == [(3, "contradiction", "title", 2), (4, "contradiction", "title", 2)]


def test_an_offering_described_twice_is_refused_the_second_time():
    raw = (FIXTURES / "openvsm.csv").read_bytes()
    again = raw.splitlines(keepends=True)[1].replace(b",12,", b",14,")
    assert refused(raw + again, OWN) == [((5,), ["offering-twice"])]


def test_two_courses_cannot_share_a_code():
    mapping = Mapping.parse((FIXTURES / "sections.yaml").read_text().replace('"{Subject} {Number}"', '"{Subject}"'))
    raw = PLAIN.replace(b"MAT,101,2027-2", b"MAT,102,2027-2")
    assert refused(raw, mapping)[0] == ((4,), ["code-twice"])


def test_a_missing_column_stops_the_import_and_names_every_one():
    raw = PLAIN.replace(b"Credit,", b"Credits,", 1).replace(b",Seats,", b",Places,", 1)
    with pytest.raises(Invalid) as stopped:
        taken(raw)
    assert [(r.code, r.params["column"]) for r in stopped.value.reasons] == [
        ("column-missing", "Credit"),
        ("column-missing", "Seats"),
    ]


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xff\xfeS\x00", b"%PDF-1.7", b""])
def test_a_file_that_is_no_csv_is_refused_as_a_whole(start):
    with pytest.raises(Invalid):
        taken(start)


def test_a_cut_file_refuses_its_last_line():
    raw = PLAIN[:-1]
    assert refused(raw) == [((7, 8), ["cut"])]
    assert accounted(raw) == list(range(2, 9))


def test_an_unclosed_quotation_costs_its_own_line_only():
    raw = edited(
        b'A3,\xc3\x81lgebra &amp; geometr\xc3\xada,Algebra &amp; Geometry,"Lines', b'A3,\xc3\x81lgebra,Algebra,""Lines'
    )
    assert refused(raw)[0] == ((4,), ["quoting"])
    assert accounted(raw) == list(range(2, 9))
    assert [c.offering_key for c in taken(raw)[0]] == ["MAT/101/2027-1", "HIS/510/2027-1"]


def test_a_file_in_another_encoding_is_refused_line_by_line():
    latin = PLAIN.decode().encode("iso-8859-1")
    assert refused(latin) == [(lines, ["undecodable"]) for lines in ((2,), (3,), (4,), (5, 6), (7, 8))]
    mapping = Mapping.parse(
        (FIXTURES / "sections.yaml").read_text().replace("{html_entities", "{encoding: iso-8859-1, html_entities")
    )
    assert [c.content_hash for c in taken(latin, mapping)[0]] == [c.content_hash for c in taken(PLAIN)[0]]
    assert refused(PLAIN, mapping)[0] == ((2,), ["wrong-encoding"])


def test_windows_line_ends_and_a_byte_order_mark_change_nothing():
    raw = b"\xef\xbb\xbf" + PLAIN.replace(b"Sources\nover", b"Sources over").replace(b"\n", b"\r\n")
    assert len(taken(raw)[0]) == 3
    assert accounted(raw) == list(range(2, 7))


def test_progress_tells_the_lines_read():
    heard: list[int] = []
    rows = "".join(
        f"X-{n},2027-1,course,T,,,,,0511,master,5,,ects,,es,,mixed,text,,2027-02-01,2027-03-01,1,,\n"
        for n in range(2500)
    )
    header = (FIXTURES / "openvsm.csv").read_text().splitlines()[0]
    assert sum(1 for _ in read(io.BytesIO(f"{header}\n{rows}".encode()), OWN, heard.append)) == 2500
    assert heard == [1001, 2001]


@given(
    cuts=st.lists(
        st.tuples(
            st.integers(0, len(PLAIN) - 1),
            st.sampled_from([b"", b'"', b"\x00", b"\xff", b",", b"\n", b"&#0;", b'"\n"']),
        ),
        max_size=6,
    )
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_however_a_file_is_spoiled_each_data_line_has_just_one_outcome(cuts):
    header_end = PLAIN.index(b"\n") + 1
    spoiled = bytearray(PLAIN)
    for place, junk in sorted(cuts, reverse=True):
        if place >= header_end:
            spoiled[place : place + 1] = junk
    lines = bytes(spoiled).split(b"\n")
    data = [number for number, line in enumerate(lines, start=1) if number > 1 and line.strip()]
    seen = accounted(bytes(spoiled))
    assert len(seen) == len(set(seen))
    assert set(data) <= set(seen)
    assert set(seen) <= set(range(2, len(lines) + 1))


@needs(REAL)
def test_a_real_catalogue_is_accounted_for_to_the_last_section():
    mapping = Mapping.read(ROOT / "examples/mappings/uiuc.yaml")
    outcomes = list(read(REAL, mapping))
    with REAL.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1724
    assert len({(row["Subject"], row["Number"]) for row in rows}) == 1062
    assert sorted(line for outcome in outcomes for line in outcome.lines) == list(range(2, 1726))
    candidates = [o for o in outcomes if isinstance(o, Candidate)]
    assert len(candidates) == 455
    assert len({c.opportunity_key for c in candidates}) == 436
    assert sum(len(c.lines) for c in candidates) == 608
    assert sum(len(o.lines) for o in outcomes if isinstance(o, RefusedRow)) == 1116
    assert all(
        "&amp;" not in text
        for c in candidates
        for text in (*c.opportunity.title.values(), *c.opportunity.description.values())
    )


@needs(REAL)
def test_a_real_catalogue_reads_the_same_twice():
    mapping = Mapping.read(ROOT / "examples/mappings/uiuc.yaml")
    first, second = (
        [(o.offering_key, o.content_hash) for o in read(REAL, mapping) if isinstance(o, Candidate)] for _ in range(2)
    )
    assert first == second


@needs(REAL)
def test_a_spoiled_copy_of_a_real_catalogue_loses_nothing():
    raw = bytearray(REAL.read_bytes())
    for place in range(5_000, len(raw), 9_973):
        raw[place : place + 1] = (b'"', b"\xff", b"\x00", b",", b"")[place % 5]
    spoiled = bytes(raw[:-40])
    mapping = Mapping.read(ROOT / "examples/mappings/uiuc.yaml")
    data = [number for number, line in enumerate(spoiled.split(b"\n"), start=1) if number > 1 and line.strip()]
    assert accounted(spoiled, mapping) == data
