"""Fields of study have names in every language, and a code is told by the fields that it lies in."""

from vsm.kit.localized import LANGUAGES
from vsm.rulebook.isced_f import fields_of, isced_fields


def test_a_detailed_field_is_told_by_its_broad_and_narrow_one():
    assert [(field.code, field.name["en"]) for field in fields_of("0542")] == [
        ("05", "Natural sciences, mathematics and statistics"),
        ("054", "Mathematics and statistics"),
    ]


def test_a_broad_field_stands_alone_and_an_unknown_one_has_no_name():
    assert [field.code for field in fields_of("10")] == ["10"]
    assert [fields_of(code) for code in ("99", "", "5", "x1")] == [(), (), (), ()]


def test_all_eleven_broad_fields_and_their_narrow_ones_are_there_in_four_languages():
    codes = [field.code for field in isced_fields()]
    assert [code for code in codes if len(code) == 2] == [f"{number:02d}" for number in range(11)]
    assert len([code for code in codes if len(code) == 3]) == 29
    assert {tuple(sorted(field.name)) for field in isced_fields()} == {tuple(sorted(LANGUAGES))}
