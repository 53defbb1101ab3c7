"""The promises of an action: all or nothing, who may, when, once, and told."""

import dataclasses
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import pytest
from django.utils import translation
from pydantic import ValidationError

from vsm.exchange.institutions.actions import add_unit, edit_organisation
from vsm.exchange.institutions.models import Organisation, Term, Unit
from vsm.kit import audit
from vsm.kit.actions import TABLE, Action, Ask, action, available, note
from vsm.kit.actors import ANONYMOUS, SYSTEM, Actor
from vsm.kit.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from vsm.kit.models import AuditEvent, IdempotencyKey
from vsm.kit.states import step
from vsm.kit.uploads import Upload
from vsm.kit.verdict import Reason
from vsm.web.forms import ActionForm

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


@action("draw_in", on=Organisation, label="Draw in", allow=("coordinator@id", "operator"), step=step("university", to="network", field="kind"))
def draw_in(organisation: Organisation, *, by: Actor, now: datetime, city: Annotated[str, Ask("City", limit=10)], because: str = "") -> Organisation:
    """A test's own verb: a university becomes a network."""
    organisation.city = city
    return organisation


@action("plan", on=Organisation, label="Plan", allow=("operator",))
def plan(organisation: Organisation, *, by: Actor, now: datetime, codes: list[str], stubborn: bool = False) -> Organisation:
    """A verb that calls another verb for each code and notes the last unit; a code taken is passed over."""
    for code in codes:
        try:
            unit = add_unit(organisation, by=by, now=now, code=code, name={"en": code})
        except Invalid:
            if stubborn:
                raise
            continue
        note(unit, "planned", by=by, now=now, because="in the plan")
    return organisation


@action("move_away", on=Organisation, label="Move away", allow=("coordinator@id",))
def move_away(organisation: Organisation, *, by: Actor, now: datetime, city: str, because: Annotated[str, Ask("Why?", limit=20)], attachment: Upload | None = None) -> Organisation:
    """A verb that nobody may do in silence."""
    if not city:
        raise Refused(Reason("no-city", "Name the city.", {}, "city"))
    return draw_in(organisation, by=by, now=now, city=city, because=because)


OWN = {key: TABLE.pop(key) for key in (("organisation", "draw_in"), ("organisation", "plan"), ("organisation", "move_away"))}


@pytest.fixture(autouse=True)
def _in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verbs of this test stand in the table only while it runs: other tests read there what the program can do."""
    for key, entry in OWN.items():
        monkeypatch.setitem(TABLE, key, entry)


@pytest.fixture
def lima(db: None) -> Organisation:
    organisation = Organisation(name={"en": "University of Lima"}, schac="lima.example", country="PE", zone="America/Lima")
    organisation.save()
    return organisation


@pytest.fixture
def bia(lima: Organisation) -> Actor:
    """Coordinator in Lima."""
    return Actor(person_id=uuid4(), label="Bia", roles={"coordinator": frozenset({lima.pk})})


@pytest.fixture
def dora() -> Actor:
    """Coordinator elsewhere."""
    return Actor(person_id=uuid4(), label="Dora", roles={"coordinator": frozenset({uuid4()})})


OPERATOR = Actor(person_id=uuid4(), label="Otto", is_operator=True)


def verbs() -> list[str]:
    return list(AuditEvent.objects.order_by("seq").values_list("verb", flat=True))


def test_an_action_changes_the_record_and_tells_who_what_and_why(lima: Organisation, bia: Actor) -> None:
    draw_in(lima, by=bia.delivering(via="api"), now=NOW, city="Lima", because="agreed in council")
    lima.refresh_from_db()
    assert (lima.kind, lima.city, lima.version) == ("network", "Lima", 2)
    [told] = audit.history([("organisation", lima.pk)])
    assert (told.who, told.via, told.verb, told.because, told.at) == ("Bia", "api", "draw_in", "agreed in council", NOW)
    assert told.changes == {"kind": ["university", "network"], "city": ["", "Lima"]}


SILENCE = ("because", "Say why: it stands in the history, and those concerned can read it.", "because")


def refusal_of(lima: Organisation, by: Actor, **given: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(Refused) as refusal:
        move_away(lima, by=by, now=NOW, **given)
    return [(reason.code, reason.text, reason.field) for reason in refusal.value.reasons]


def test_an_act_whose_reason_has_no_default_is_refused_in_silence_with_all_else_that_is_in_the_way(lima: Organisation, bia: Actor, dora: Actor) -> None:
    assert refusal_of(lima, bia, city="Lima", because=" \n") == [SILENCE]
    assert refusal_of(lima, bia, city="", because="") == [SILENCE, ("no-city", "Name the city.", "city")]
    assert refusal_of(lima, bia.delivering(key="k"), city="", because="moved") == [("no-city", "Name the city.", "city")]
    # What comes first still does: whose act it is, what was read, what can be.
    assert [code for code, *_ in refusal_of(lima, dora, city="", because="")] == ["role"]
    assert [code for code, *_ in refusal_of(lima, bia.delivering(expected=7), city="", because="")] == ["stale-version"]
    # Nothing of what was tried stays.
    lima.refresh_from_db()
    assert (lima.city, lima.kind, verbs(), IdempotencyKey.objects.count()) == ("", "university", [], 0)
    move_away(lima, by=bia, now=NOW, city="Lima", because="moved")
    assert [(told.verb, told.because) for told in audit.history([("organisation", lima.pk)])] == [("move_away", "moved"), ("draw_in", "moved")]


def test_an_act_with_a_file_is_not_tried_out_to_find_what_else_is_in_the_way(lima: Organisation, bia: Actor) -> None:
    assert refusal_of(lima, bia, city="", because="", attachment=Upload.of("a.pdf", "application/pdf", b"x")) == [SILENCE]


def test_that_a_reason_is_needed_stands_in_the_schema_of_the_act_and_on_its_form(lima: Organisation, bia: Actor) -> None:
    def told(verb: str) -> Any:
        return TABLE["organisation", verb].parameters.model_json_schema()

    assert [(told(verb)["properties"]["because"].get("minLength"), "because" in told(verb)["required"]) for verb in ("move_away", "draw_in")] == [(1, True), (None, False)]
    assert [ActionForm(TABLE["organisation", verb], lima, bia).fields["because"].required for verb in ("move_away", "draw_in")] == [True, False]


def test_programs_read_what_an_act_asks_in_english_whoever_was_asked_first() -> None:
    with translation.override("es"):
        drafting, ending = (dataclasses.replace(TABLE[key]).parameters for key in (("organisation", "draft_agreement"), ("agreement", "end")))
    assert drafting.model_fields["code"].description == "Code. By which both institutions file it."
    assert ending.model_fields["because"].description == "Why does it end? From now on nobody can apply under it. Students who already hold a seat keep it."


def test_when_the_audit_entry_cannot_be_written_nothing_happened(lima: Organisation, bia: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_disk(_entries: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(audit, "append", no_disk)
    with pytest.raises(OSError, match="no space"):
        draw_in(lima, by=bia.delivering(key="k"), now=NOW, city="Lima")
    lima.refresh_from_db()
    assert (lima.kind, lima.version, IdempotencyKey.objects.count()) == ("university", 1, 0)


def test_a_role_held_elsewhere_does_not_count(lima: Organisation, dora: Actor) -> None:
    for stranger in (dora, ANONYMOUS, Actor(person_id=uuid4(), label="Ana", roles={"student": frozenset({lima.pk})})):
        with pytest.raises(NotAllowed) as refusal:
            draw_in(lima, by=stranger, now=NOW, city="Lima")
        assert refusal.value.reasons[0].params == {"roles": ["Coordinator", "Operator"]}
    assert verbs() == []


def test_each_grant_lets_in_just_whom_it_names(lima: Organisation, bia: Actor, dora: Actor) -> None:
    entry = TABLE["organisation", "draw_in"]
    assert [entry.permits(lima, actor) for actor in (bia, OPERATOR, SYSTEM, dora, ANONYMOUS)] == [True, True, True, False, False]


def test_what_is_available_follows_the_right_and_the_state(lima: Organisation, bia: Actor, dora: Actor) -> None:
    assert "draw_in" in [entry.verb for entry in available(lima, bia)]
    assert "draw_in" not in [entry.verb for entry in available(lima, dora)]
    lima.kind = "host"
    assert "draw_in" not in [entry.verb for entry in available(lima, bia)]


def test_a_step_from_another_state_is_refused_and_says_what_is_possible(lima: Organisation, bia: Actor) -> None:
    draw_in(lima, by=bia, now=NOW, city="Lima")
    with pytest.raises(Refused) as refusal:
        draw_in(lima, by=bia, now=NOW, city="Lima")
    assert refusal.value.reasons[0].code == "state"
    assert refusal.value.reasons[0].params["state"] == "network"


def test_the_record_is_read_afresh_whatever_copy_is_handed_in(lima: Organisation, bia: Actor) -> None:
    old = Organisation.objects.get(pk=lima.pk)
    edit_organisation(lima, by=bia, now=NOW, name={"en": "New"}, about={})
    draw_in(old, by=bia, now=NOW, city="Lima")
    assert Organisation.objects.get(pk=lima.pk).name == {"en": "New"}


def test_an_expected_version_that_has_passed_is_refused(lima: Organisation, bia: Actor) -> None:
    edit_organisation(lima, by=bia.delivering(expected=1), now=NOW, name={"en": "One"}, about={})
    with pytest.raises(Conflict):
        edit_organisation(lima, by=bia.delivering(expected=1), now=NOW, name={"en": "Two"}, about={})
    assert Organisation.objects.get(pk=lima.pk).name == {"en": "One"}


def test_the_same_key_gives_the_same_answer_once(lima: Organisation, bia: Actor) -> None:
    by = bia.delivering(key="k1")
    first = add_unit(lima, by=by, now=NOW, code="F1", name={"en": "Faculty"})
    again = add_unit(lima, by=by, now=NOW, code="F1", name={"en": "Faculty"})
    assert first == again
    assert (Unit.objects.count(), verbs()) == (1, ["add_unit"])


def test_the_same_key_for_something_different_is_refused(lima: Organisation, bia: Actor) -> None:
    add_unit(lima, by=bia.delivering(key="k1"), now=NOW, code="F1", name={"en": "Faculty"})
    with pytest.raises(Conflict) as refusal:
        add_unit(lima, by=bia.delivering(key="k1"), now=NOW, code="F2", name={"en": "Faculty"})
    assert refusal.value.reasons[0].code == "key-reused"


def test_two_people_may_use_the_same_key(lima: Organisation, bia: Actor) -> None:
    add_unit(lima, by=bia.delivering(key="k1"), now=NOW, code="F1", name={"en": "Faculty"})
    add_unit(lima, by=OPERATOR.delivering(key="k1"), now=NOW, code="F2", name={"en": "Faculty"})
    assert Unit.objects.count() == 2


def test_a_refused_attempt_leaves_its_key_free(lima: Organisation, bia: Actor, dora: Actor) -> None:
    with pytest.raises(NotAllowed):
        add_unit(lima, by=dora.delivering(key="k1"), now=NOW, code="F1", name={"en": "Faculty"})
    assert IdempotencyKey.objects.count() == 0


def test_a_record_that_is_gone_is_not_found(lima: Organisation) -> None:
    gone = Organisation.objects.get(pk=lima.pk)
    lima.delete()
    with pytest.raises(NotFound):
        draw_in(gone, by=SYSTEM, now=NOW, city="Lima")


def test_nested_actions_are_one_transaction_and_tell_in_order(lima: Organisation) -> None:
    plan(lima, by=OPERATOR, now=NOW, codes=["A", "B"])
    assert verbs() == ["add_unit", "planned", "add_unit", "planned", "plan"]
    assert audit.verify() == []


def test_a_refused_inner_action_takes_only_itself_back(lima: Organisation) -> None:
    plan(lima, by=OPERATOR, now=NOW, codes=["A", "A", "B"])
    assert sorted(Unit.objects.values_list("code", flat=True)) == ["A", "B"]
    assert verbs() == ["add_unit", "planned", "add_unit", "planned", "plan"]


def test_an_inner_refusal_that_is_not_caught_undoes_everything(lima: Organisation) -> None:
    with pytest.raises(Invalid):
        plan(lima, by=OPERATOR, now=NOW, codes=["A", "A"], stubborn=True)
    assert (Unit.objects.count(), verbs()) == (0, [])


def test_a_note_outside_an_action_is_a_mistake(lima: Organisation) -> None:
    with pytest.raises(RuntimeError):
        note(lima, "seen", by=SYSTEM, now=NOW)


def test_a_verb_is_entered_once() -> None:
    with pytest.raises(RuntimeError, match="already"):
        action("draw_in", on=Organisation, label="Again", allow=())(draw_in)


def test_the_parameters_are_what_a_door_must_ask() -> None:
    entry: Action = TABLE["organisation", "draw_in"]
    assert list(entry.parameters.model_fields) == ["city", "because"]
    assert entry.parameters.model_fields["city"].is_required()
    for wrong in ({}, {"city": "x" * 11}, {"city": "Lima", "kind": "network"}):
        with pytest.raises(ValidationError):
            entry.parameters.model_validate(wrong)


def test_what_an_action_makes_is_told_under_its_own_noun(lima: Organisation, bia: Actor) -> None:
    unit = add_unit(lima, by=bia, now=NOW, code="F1", name={"en": "Faculty"})
    [told] = audit.history([("unit", unit.pk)])
    assert (told.verb, told.changes["code"]) == ("add_unit", [None, "F1"])
    assert Term.objects.count() == 0
