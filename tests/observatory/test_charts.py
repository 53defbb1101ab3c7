"""A picture says in its table what it draws, reads without colour, and grows with its figures."""

import itertools
import re
from xml.etree import ElementTree

import pytest

from tests.observatory.test_briefs import facts_for
from vsm.kit.localized import LANGUAGES
from vsm.observatory.publications.briefs import briefs
from vsm.observatory.publications.charts import Bar, Line, bars, lines
from vsm.observatory.publications.edition import as_csv, changes, digest, used, written
from vsm.observatory.publications.telling import edge

SVG = "{http://www.w3.org/2000/svg}"


def named(svg: str) -> list[ElementTree.Element]:
    """The names that stand in a picture."""
    return [text for text in ElementTree.fromstring(svg).iter(f"{SVG}text") if (text.get("class") or "").startswith("name")]


def test_bars_stand_on_their_side_of_zero() -> None:
    drawing = bars("Gap", "d", [Bar("A", -0.3, -0.5, -0.1, "−30%", "…"), Bar("B", 0.2, -0.1, 0.5, "+20%", "…")], ("Place", "Value", "Band"), lambda share: f"{share:.0%}")
    tree = ElementTree.fromstring(drawing.svg)
    zero = float(next(e for e in tree.iter(f"{SVG}line") if e.get("class") == "axis").get("x1", ""))
    [left, right] = [float(circle.get("cx", "")) for circle in tree.iter(f"{SVG}circle")]
    assert left < zero < right
    assert drawing.rows == (("A", "−30%", "…"), ("B", "+20%", "…"))
    assert [text.text for text in tree.iter(f"{SVG}text") if text.get("class") == "tick"] == ["-40%", "-20%", "0%", "20%", "40%"]


@pytest.mark.parametrize(("low", "high"), [(-0.52, 2.39), (-0.104, 0.0), (0.0, 0.0), (-60_000.0, 107_146.0), (-0.004, 0.003), (0.0, 1.0)])
def test_an_axis_has_a_scale_whatever_it_holds_and_no_more_than_fits(low: float, high: float) -> None:
    drawing = bars("Gap", "d", [Bar("A", low, low, high, "", "")], ("a", "b", "c"), str)
    ticks = [text.text for text in ElementTree.fromstring(drawing.svg).iter(f"{SVG}text") if text.get("class") == "tick"]
    assert ("0.0" in ticks, 1 <= len(ticks) <= 6) == (True, True)
    assert len(ticks) > 1 or low == high


def test_names_of_lines_near_zero_stand_above_the_years() -> None:
    series = [Line(f"Some region of the world, number {number}", ((2019, float(number)), (2020, float(number)))) for number in range(4)] + [Line("Largest", ((2019, 900.0), (2020, 1000.0)))]
    texts = [*ElementTree.fromstring(lines("Students", "d", series, ("Year",), [], "en").svg).iter(f"{SVG}text")]
    year = min(float(text.get("y", "")) for text in texts if text.text == "2020")
    named = sorted(float(text.get("y", "")) for text in texts if "name" in (text.get("class") or ""))
    assert (named[-1] + 2 * 14 < year, min(after - before for before, after in itertools.pairwise(named)) >= 18) == (True, True)


def test_round_values_are_said_short_in_each_language() -> None:
    told = [edge(number, unit, language) for number, unit, language in ((-0.2, "share", "en"), (0.025, "share", "fr"), (-20_000, "students", "es"), (1.5e6, "students", "fr"), (0.4, "ratio", "pt-br"))]
    assert told == ["−20%", "2,5\u202f%", "−20 k", "1,5 M", "0,40"]


def test_names_at_the_ends_of_lines_never_stand_on_each_other_and_dashes_differ() -> None:
    series = [Line(f"L{number}", ((2000, 1.0), (2001, 100.0 + number / 10))) for number in range(5)]
    tree = ElementTree.fromstring(lines("T", "d", series, (), (), "en").svg)
    heights = sorted(float(text.get("y", "")) for text in tree.iter(f"{SVG}text") if (text.get("class") or "").startswith("name"))
    assert all(after - before >= 17.9 for before, after in itertools.pairwise(heights))
    assert len({line.get("stroke-dasharray") for line in tree.iter(f"{SVG}polyline")}) == 5


def test_a_long_name_stands_in_two_lines_and_loses_no_word() -> None:
    names = ("Chile", "Mudança temporária para o ensino on-line", "Donaudampfschifffahrtsgesellschaftskapitän")
    drawing = bars("T", "d", [Bar(name, 1.0, 0.0, 2.0, "1", "") for name in names], ("a", "b", "c"), str)
    told = [list(text.itertext()) for text in named(drawing.svg)]
    assert told == [["Chile"], ["Mudança temporária", "para o ensino on-line"], ["Donaudampfschifffahrtsgesellschaftskapitän"]]


def test_a_long_name_behind_a_line_stands_in_two_lines_with_room_for_both() -> None:
    series = [Line(name, ((2000, 1.0), (2001, 100.0 + number))) for number, name in enumerate(("Australie et Nouvelle-Zélande", "Amérique latine et Caraïbes", "Europe"))]
    drawing = lines("T", "d", series, (), (), "en")
    expected = ([["Australie et", "Nouvelle-Zélande"], ["Amérique latine", "et Caraïbes"], ["Europe"]], [["Australie et", "Nouvelle-", "Zélande"], ["Amérique", "latine et", "Caraïbes"], ["Europe"]])
    for svg, size, told in ((drawing.svg, 14, expected[0]), (drawing.narrow, 12, expected[1])):
        texts = named(svg)
        assert [list(text.itertext()) for text in texts] == told
        ends = sorted((float(text.get("y", "")) - 0.8 * size, float(text.get("y", "")) + 1.15 * size * len(list(text)) + 0.2 * size) for text in texts)
        assert all(after[0] >= before[1] for before, after in itertools.pairwise(ends))


def test_on_a_phone_all_is_drawn_again_with_letters_that_can_be_read_and_rows_as_tall_as_their_names() -> None:
    rows = [Bar(name, 1.0, 0.0, 2.0, "1", "") for name in ("Preparación para la movilidad física", "Paso temporal a la modalidad en línea")]
    drawing = bars("T", "d", rows, ("a", "b", "c"), str)
    # A phone of 360 pixels shows pictures 328 wide.
    assert [round(float(tree.get("font-size", "")) * 328 / float(tree.get("viewBox", "").split()[2]), 1) for tree in map(ElementTree.fromstring, (drawing.svg, drawing.narrow))] == [6.6, 11.6]
    first, second = named(drawing.narrow)
    tops = [float((row.get("transform") or "").rpartition(" ")[2].rstrip(")")) for row in ElementTree.fromstring(drawing.narrow).iter(f"{SVG}g")]
    assert [list(text.itertext()) for text in (first, second)] == [["Preparación para", "la movilidad", "física"], ["Paso temporal", "a la modalidad", "en línea"]]
    assert tops[1] + float(second.get("y", "")) - 12 > tops[0] + float(first.get("y", "")) + 2 * 1.15 * 12


def test_a_page_gets_whole_units_and_its_own_inks_while_paper_keeps_both() -> None:
    drawing = bars("Gap 2.5", "d", [Bar("From 1.5 to 2.5", -0.312, -0.5, -0.1, "", "")], ("a", "b", "c"), lambda share: f"{share:.1f}")
    for svg, page in zip((drawing.svg, drawing.narrow), drawing.both.replace("</svg><svg", "</svg>|<svg").split("|"), strict=True):
        assert ("#8a4b08" in svg, "#" in page) == (True, False)
        at = {name: [float(value) for value in re.findall(rf' {name}="([^"]+)"', page)] for name in ("cx", "x1")}
        assert all(value == int(value) for values in at.values() for value in values)
        assert at["cx"] == [round(float(value)) for value in re.findall(r' cx="([^"]+)"', svg)]
        texts = [[*text.itertext()] for text in ElementTree.fromstring(page).iter()]
        assert texts == [[*text.itertext()] for text in ElementTree.fromstring(svg).iter()]


def test_a_name_stands_behind_the_last_year_where_no_other_line_crosses_it() -> None:
    series = [Line("Ends early", ((2000, 1.0), (2001, 2.0))), Line("Goes on", ((2000, 1.0), (2001, 2.0), (2002, 3.0)))]
    for svg in (drawing := lines("T", "d", series, (), (), "en")).svg, drawing.narrow:
        assert len({name.get("x") for name in named(svg)}) == 1


def test_a_missing_year_ends_the_line_and_a_year_alone_is_a_dot() -> None:
    points = ((2000, 1.0), (2001, 2.0), (2003, 4.0), (2004, 3.0), (2006, 1.0))
    band = tuple((year, value - 0.5, value + 0.5) for year, value in points[:4])
    tree = ElementTree.fromstring(lines("T", "d", [Line("L", points, (band,))], (), (), "en").svg)
    assert [len((piece.get("points") or "").split()) for piece in tree.iter(f"{SVG}polyline")] == [2, 2]
    assert [len((piece.get("points") or "").split()) for piece in tree.iter(f"{SVG}polygon")] == [4, 4]
    assert len(list(tree.iter(f"{SVG}circle"))) == 1


def test_what_is_written_in_a_label_cannot_become_markup() -> None:
    drawing = bars("<b>", "d", [Bar("<script>", 1, 0, 2, "1", "0–2")], ("a", "b", "c"), str)
    assert "<script>" not in drawing.svg
    assert ElementTree.fromstring(drawing.svg).findtext(f"{SVG}title") == "<b>"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_edition_says_the_same_figures_in_every_language(language: str) -> None:
    brief = briefs()["covid-effect"]
    facts = facts_for(brief.studies)
    text = written(brief, facts, language)
    ours, english = (re.sub(r"\D", "", " ".join((each.answer, *each.messages))) for each in (text, written(brief, facts, "en")))
    assert ours == english
    assert [len(picture.drawing.rows) for _heading, _body, pictures in text.sections for picture in pictures] == [10, 23]


def test_its_bundle_holds_just_what_it_uses_and_its_digest_follows_from_it() -> None:
    brief = briefs()["covid-effect"]
    facts = facts_for(brief.studies)
    kept = used(brief, facts)
    assert as_csv(kept).count("\n") == len(kept) + 1
    assert "gap.central-asia.2021" not in kept
    spoiled = {**facts, "gap.world.2021": type(kept["gap.world.2021"])(**{**vars(kept["gap.world.2021"]), "value": -0.5})}
    assert digest(brief, facts) != digest(brief, spoiled)
    then, now = (used(brief, each) for each in (facts, spoiled))
    [change] = changes(then, now)
    assert (change.key, change.before, change.after) == ("gap.world.2021", kept["gap.world.2021"], spoiled["gap.world.2021"])


def test_years_below_a_line_stand_at_equal_steps_though_years_are_missing() -> None:
    """2002 to 2004, 2009 to 2012 and 2014 to 2024 were told: the years below are steps of time, not every fourth of what was told."""
    years = [*range(2002, 2005), *range(2009, 2013), *range(2014, 2025)]
    texts = ElementTree.fromstring(lines("T", "d", [Line("L", tuple((year, 1.0) for year in years))], (), (), "en").svg).iter(f"{SVG}text")
    assert [int(text.text or "") for text in texts if (text.text or "").startswith("20")] == [2002, 2006, 2010, 2014, 2018, 2022]
