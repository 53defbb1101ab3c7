"""What every stored thing has."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import RFC_4122, UUID

import pytest
from django.db import IntegrityError

from vsm.exchange.institutions.models import Organisation, Term
from vsm.exchange.people.models import StudentRecord
from vsm.kit.actors import ANONYMOUS, SYSTEM
from vsm.kit.errors import Conflict, Invalid, NotFound
from vsm.kit.folding import fold
from vsm.kit.ids import new_id, new_ids
from vsm.kit.records import VisibleQuerySet, _unstorable, aware


@pytest.fixture
def lima(db: None) -> Organisation:
    organisation = Organisation(name={"es": "Universidad de Lima", "pt-br": "São Lima"}, schac="lima.example", country="PE", city="Ñaña", zone="America/Lima")
    organisation.save()
    return organisation


def test_a_stale_copy_is_refused_and_not_written(lima: Organisation) -> None:
    mine, theirs = Organisation.objects.get(pk=lima.pk), Organisation.objects.get(pk=lima.pk)
    theirs.city = "Callao"
    theirs.save()
    mine.city = "Cusco"
    with pytest.raises(Conflict):
        mine.save()
    assert (Organisation.objects.get(pk=lima.pk).city, theirs.version, mine.version) == ("Callao", 2, 1)


def test_a_naive_save_would_have_lost_the_other_edit(lima: Organisation) -> None:
    """The control: without the version in its condition the second write wins silently."""
    mine = Organisation.objects.get(pk=lima.pk)
    Organisation.objects.filter(pk=lima.pk).update(city="Callao")
    Organisation.objects.filter(pk=mine.pk).update(city="Cusco")
    assert Organisation.objects.get(pk=lima.pk).city == "Cusco"


def test_a_removed_record_cannot_be_saved_back(lima: Organisation) -> None:
    copy = Organisation.objects.get(pk=lima.pk)
    lima.delete()
    with pytest.raises(Conflict):
        copy.save()


@pytest.mark.parametrize("words", ["lima", "LIMA", "sao", "nana", "Universidad"])
def test_search_text_ignores_case_and_accents(lima: Organisation, words: str) -> None:
    assert Organisation.objects.filter(folded__contains=fold(words)).get() == lima


def test_what_one_database_would_let_pass_is_refused_on_both(lima: Organisation) -> None:
    lima.city, lima.ror = "a\x00b", "x" * 41
    with pytest.raises(Invalid) as refusal:
        lima.save()
    assert {(reason.code, reason.field) for reason in refusal.value.reasons} == {("too-long", "ror"), ("nul", "city")}


def test_a_nul_inside_a_localized_text_is_refused_too(lima: Organisation) -> None:
    lima.about = {"en": "a\x00b"}
    with pytest.raises(Invalid) as refusal:
        lima.save()
    assert [(reason.code, reason.field) for reason in refusal.value.reasons] == [("nul", "about")]


def test_the_database_itself_refuses_impossible_rows(lima: Organisation) -> None:
    with pytest.raises(IntegrityError):
        Term(organisation=lima, code="1", name={}, starts_on=date(2027, 3, 1), ends_on=date(2027, 3, 1)).save()


def test_absent_malformed_and_foreign_look_the_same(db: None) -> None:
    answers = set()
    for pk in (new_id(), "not-an-id", "", "\x00"):
        with pytest.raises(NotFound) as absent:
            StudentRecord.objects.seen_by(ANONYMOUS, pk)
        answers.add(str(absent.value))
    assert len(answers) == 1


def test_a_slice_that_says_nothing_shows_nothing(lima: Organisation) -> None:
    silent = VisibleQuerySet(Organisation)
    assert (silent.visible_to(ANONYMOUS).count(), silent.visible_to(SYSTEM).count()) == (0, 1)


def test_identifiers_sort_by_their_making() -> None:
    made = [new_id() for _ in range(3)]
    assert {identifier.version for identifier in made} == {7}
    assert len(set(made)) == 3
    assert [identifier.int >> 80 for identifier in made] == sorted(identifier.int >> 80 for identifier in made)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(Invalid):
        aware(datetime(2027, 3, 1, 12))
    assert aware(datetime(2027, 3, 1, 12, tzinfo=UTC)).hour == 12


@pytest.mark.parametrize("number", ["99999.995", "100000", "1e14", "-1e14", "Infinity", "NaN"])
def test_a_number_with_more_digits_than_its_column_is_refused_before_it_spoils_the_row(number: str) -> None:
    assert [reason.code for reason in _unstorable(StudentRecord(credits_total=Decimal(number)))] == ["out-of-range"]


@pytest.mark.parametrize("number", ["99999.99", "-99999.99", "0.004", "0"])
def test_a_number_that_fits_its_column_passes(number: str) -> None:
    assert [reason.field for reason in _unstorable(StudentRecord(credits_total=Decimal(number)))] == []


def test_many_identifiers_of_one_moment_are_versions_seven_and_all_different() -> None:
    texts = new_ids(5_000)
    made = [UUID(text) for text in texts]

    assert [each.hex for each in made] == texts
    assert {(each.version, each.variant) for each in made} == {(7, RFC_4122)}
    assert len({*made}) == 5_000
    assert texts == sorted(texts)
    assert len({each.int >> 80 for each in made}) == 1
