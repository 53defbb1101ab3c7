"""Lists of rows in forms: what is left alone is no row, and more lines can be had without losing what was typed."""

import inspect
import re
from collections.abc import Iterator
from datetime import time
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone, translation
from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

from tests.exchange.learning_agreements.given import give_role, organisation, person
from vsm.exchange.people.models import StudentRecord
from vsm.exchange.programmes.models import AdmissionDocument
from vsm.kit.actions import TABLE, Ask
from vsm.kit.actors import SYSTEM
from vsm.kit.localized import LANGUAGES
from vsm.kit.resources import RESOURCES
from vsm.web.forms import SPARE_ROWS, ActionForm, CountriesField, MomentField, RowsField, field_for


class PartRow(BaseModel):
    code: Annotated[str, Ask("Code")] = Field(min_length=1)
    kind: Annotated[Literal["a", "b"], Ask("Kind", choices=lambda _r, _a: [("a", "A"), ("b", "B")])] = "a"
    credits: Annotated[Decimal, Ask("Credits")] = Decimal(0)


class SpokenRow(BaseModel):
    language: Annotated[str, Ask("Language", choices=lambda _r, _a: [("es", "Spanish"), ("pt", "Portuguese")])]
    level: Annotated[Literal["A1", "B2"], Ask("Level")]


class SeatsRow(BaseModel):
    offering: Annotated[str, Ask("Course", kind="hidden")]
    title: Annotated[str, Ask("Course", kind="read_only")] = ""
    seats: Annotated[int, Ask("Seats")]


def rows(*lines: dict[str, str], of: type[BaseModel] = PartRow) -> Any:
    return RowsField(row=of, record=None, actor=SYSTEM, required=False).clean(list(lines))


class DueRow(BaseModel):
    title: Annotated[str, Ask("Title")]
    at: Annotated[time, Ask("At")] = time(23, 59)


def test_a_spare_line_that_begins_with_an_hour_is_no_row_either() -> None:
    field = RowsField(row=DueRow, record=None, actor=SYSTEM, required=False)
    shown = field.widget.get_context("tasks", [], {})["widget"]["lines"]
    assert len(shown) == SPARE_ROWS
    assert 'value="23:59"' in shown[0][1]["html"]
    assert field.clean([{"title": "Map", "at": "12:00"}, {"title": "", "at": "23:59"}]) == [DueRow(title="Map", at=time(12))]


def test_a_form_that_comes_back_has_as_many_spare_lines_as_before() -> None:
    field = RowsField(row=DueRow, record=None, actor=SYSTEM, required=False)
    spare = {"title": "", "at": "23:59"}
    assert field.bound_data([{"title": "Map", "at": "x"}, spare, spare, spare], []) == [{"title": "Map", "at": "x"}]


def test_a_spare_line_with_only_what_it_began_with_is_no_row() -> None:
    spare = {"code": "", "kind": "a", "credits": "0"}
    assert rows({"code": "X", "kind": "b", "credits": "3"}, spare, spare) == [PartRow(code="X", kind="b", credits=Decimal(3))]


def test_a_choice_among_our_languages_shows_their_names() -> None:
    with translation.override("es"):
        field = field_for(FieldInfo(annotation=Literal["es", "pt-br", "en", "fr"], default="es"), Ask("Language"), None, SYSTEM)
    assert field.choices == [("es", "español"), ("pt-br", "portugués (Brasil)"), ("en", "inglés"), ("fr", "francés")]  # type: ignore[attr-defined] -- a field of choices


@pytest.mark.parametrize("kind", [int, float, Decimal])
def test_a_number_arrives_as_the_kind_that_is_asked_for(kind: Any) -> None:
    given = field_for(FieldInfo(annotation=kind | None), Ask("Value"), None, SYSTEM).clean("24")
    assert (given, type(given)) == (24, kind)


def test_a_line_in_which_somebody_wrote_is_judged() -> None:
    with pytest.raises(ValidationError, match="Line 1, Code"):
        rows({"code": "", "kind": "a", "credits": "4"})


def test_a_line_of_choices_alone_is_a_row_when_something_was_chosen_in_it() -> None:
    spare = {"language": "", "level": ""}
    assert rows({"language": "es", "level": "A1"}, spare, of=SpokenRow) == [SpokenRow(language="es", level="A1")]
    with pytest.raises(ValidationError, match="Line 1, Language"):
        rows({"language": "", "level": "B2"}, of=SpokenRow)


def test_a_spare_line_begins_with_nothing_chosen() -> None:
    asked = RowsField(row=SpokenRow, record=None, actor=SYSTEM, required=False)
    assert asked.widget.render("spoken", [], {}).count('<option value="" selected>') == 2 * SPARE_ROWS


def test_what_a_line_only_shows_still_stands_there_when_the_form_comes_back() -> None:
    field = RowsField(row=SeatsRow, record=None, actor=SYSTEM, required=False)
    form = type("Seats", (forms.Form,), {"seats": field})
    begun = [SeatsRow(offering="a", title="Algebra", seats=2), SeatsRow(offering="b", title="Biology", seats=1)]
    sent = {"seats-count": "2", "seats-0-offering": "b", "seats-0-title": "Zoology", "seats-0-seats": "x", "seats-1-offering": "a", "seats-1-seats": "3"}
    page = str(form(sent, initial={"seats": begun})["seats"])

    assert page.index("Biology") < page.index('value="x"') < page.index("Algebra") < page.index('value="3"')
    assert "Zoology" not in page


def test_more_lines_come_with_what_was_typed_and_judge_nothing(db: None) -> None:
    bia = person("Bia")
    home = organisation("Home", "PE", "America/Lima")
    give_role(bia, home, "coordinator")
    browser = Client()
    browser.force_login(bia, backend="allauth.account.auth_backends.AuthenticationBackend")
    address = f"/organisations/{home.pk}/register_student/"
    typed = {"email": "ana@people.example", "languages-count": "3", "languages-0-language": "qu", "languages-0-level": "B2", "more-lines": "languages"}

    answer = browser.post(address, typed)
    page = answer.content.decode()

    assert answer.status_code == 200
    assert 'name="languages-count" value="6"' in page
    assert 'value="ana@people.example"' in page
    assert "error" not in page.partition("<form method")[2].partition("</form>")[0]


def test_what_a_token_is_for_is_told_in_words() -> None:
    make = TABLE["person", "make_token"]
    with translation.override("fr"):
        field = field_for(make.parameters.model_fields["purpose"], make.asks["purpose"], None, SYSTEM)
        assert [label for value, label in field.choices if value] == ["Des programmes, en votre nom", "Un agenda qui suit votre emploi du temps"]  # type: ignore[attr-defined] -- a field of choices


def test_whoever_looks_for_an_account_reads_how_to_get_one(db: None) -> None:
    page = Client().get("/accounts/signup/", headers={"Accept-Language": "en"}).content.decode()
    assert "Accounts are made by invitation: ask your international office." in page


def test_a_form_without_its_token_is_refused_with_what_to_do(db: None) -> None:
    answer = Client(enforce_csrf_checks=True, headers={"accept-language": "en"}).post("/zone/", {"zone": "America/Lima"})
    assert (answer.status_code, "Allow cookies for this site" in answer.content.decode()) == (403, True)


def test_nobody_is_asked_to_choose_among_codes() -> None:
    """What a type names is offered in words, except our languages, which the form names itself, and what reads as it is written (CEFR)."""
    asked = {
        f"{action.name} {name}"
        for action in TABLE.values()
        for name, hint in get_type_hints(inspect.unwrap(action.function), include_extras=True).items()
        for ask, codes in literals(hint)
        if not (ask and ask.choices) and not set(codes) <= set(LANGUAGES) and not all(re.fullmatch("[ABC][12]|native", code) for code in codes)
    }
    assert asked == set()


def literals(hint: Any, ask: Ask | None = None) -> Iterator[tuple[Ask | None, tuple[Any, ...]]]:
    """Each `Literal` in a type, also in the rows of a list, with what asks for it."""
    ask = next((each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Ask)), ask)
    if get_origin(hint) is Literal:
        yield ask, get_args(hint)
    elif isinstance(hint, type) and issubclass(hint, BaseModel):
        for row in get_type_hints(hint, include_extras=True).values():
            yield from literals(row)
    else:
        for inner in (hint.__origin__,) if hasattr(hint, "__metadata__") else get_args(hint):
            yield from literals(inner, ask)


def test_a_student_is_registered_and_listed_in_the_readers_words(db: None) -> None:
    with translation.override("es"):
        choices = TABLE["organisation", "register_student"].asks["level"].choices
        assert choices
        assert ("bachelor", "Pregrado") in choices(None, SYSTEM)
        level = next(field for field in RESOURCES["student"].fields if field.name == "level")
        assert level.told(StudentRecord(level="short-cycle")) == "Ciclo corto"


def test_countries_are_typed_by_name_or_code_and_shown_by_name() -> None:
    with translation.override("es"):
        field = CountriesField(required=False)
        assert field.clean("Perú\nbrasil\nFR\n\nGermany") == ["PE", "BR", "FR", "DE"]
        assert field.prepare_value(["PE", "BR"]) == "Perú\nBrasil"
        assert field.prepare_value("Perú\nBrasilia") == "Perú\nBrasilia"
        with pytest.raises(ValidationError) as refusal:
            field.clean("Perú\nBrasilia\nZZ")
    assert refusal.value.messages[0].startswith("No se conoce ningún país con este nombre: Brasilia, ZZ.")


def test_a_moment_is_asked_with_the_zone_in_which_it_will_be_read() -> None:
    with timezone.override("America/Montevideo"):
        assert MomentField(help_text="The last moment.").help_text == "The last moment. On your clock (America/Montevideo)."


def test_a_line_is_refused_in_the_words_in_which_a_single_field_is() -> None:
    with translation.override("es"):
        with pytest.raises(ValidationError) as refusal:
            rows({"code": "", "kind": "b", "credits": "x"})
        single = []
        for kind, value in ((str, ""), (Decimal, "x")):
            with pytest.raises(ValidationError) as alone:
                field_for(FieldInfo(annotation=kind), Ask("Code"), None, SYSTEM).clean(value)
            single += alone.value.messages
    assert single == ["Este dato es necesario.", "Debe ser un número."]
    assert refusal.value.messages == [f"Línea 1, Código: {single[0]}", f"Línea 1, Créditos: {single[1]}"]


def test_an_hour_that_the_clock_skips_or_shows_twice_is_told_as_such() -> None:
    with timezone.override("America/Santiago"):
        for moment in ("2027-09-05T00:30", "2027-04-03T23:30"):
            with pytest.raises(ValidationError, match="does not exist that day, or occurs twice"):
                MomentField().clean(moment)
        assert MomentField().clean("2027-09-05T01:30").isoformat() == "2027-09-05T01:30:00-03:00"


def test_a_choice_begins_empty_also_where_the_record_says_nothing_yet() -> None:
    form = ActionForm(TABLE["admission_document", "verify"], AdmissionDocument(), SYSTEM)
    assert next(iter(form.fields["way"].choices)) == ("", "—")


def test_a_question_with_nothing_to_choose_from_says_so() -> None:
    asked = field_for(FieldInfo(annotation=str), Ask("For which stay?", choices=lambda _r, _a: []), None, SYSTEM)
    with translation.override("en"), pytest.raises(ValidationError, match="nothing to choose from"):
        asked.clean("")
