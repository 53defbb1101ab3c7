"""A physical mobility from the record to the return, its own learning agreement, and every refusal on the way."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.exchange.mobilities.given import LAW, NOW, STATISTICS, World, actor, fresh
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import university_choices
from vsm.exchange.learning_agreements.actions import draft_version, present, sign
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.learning_agreements.paper import pdf_of
from vsm.exchange.mobilities.actions import arrive, cancel, change_courses, come_back, edit, import_mobilities
from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.mobilities.queries import agreement_of
from vsm.exchange.mobilities.states import STEPS, State
from vsm.kit import audit, clock
from vsm.kit.actions import TABLE
from vsm.kit.actors import ANONYMOUS, SYSTEM
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.uploads import Upload

pytestmark = pytest.mark.django_db


def opened(mobility: Mobility) -> LearningAgreement:
    found = agreement_of(mobility)
    assert found is not None
    return found


def test_a_stay_takes_its_place_from_the_host_and_its_residence_from_home(world: World) -> None:
    made = world.mobility()
    assert (made.country, made.city, made.residence, made.state) == ("CL", "Santiago", "PE", "planned")


def test_only_another_university_is_a_host(world: World) -> None:
    """A company that takes trainees has an account here too."""
    company = Organisation(name={"en": "Datos"}, schac="datos.example", country="UY", zone="America/Montevideo", kind="host")
    company.save()
    offered = {pk for pk, _name in university_choices(world.home, actor(world.bia))}
    assert ({str(world.home.pk), str(company.pk)} & offered, str(world.host.pk) in offered) == (set(), True)
    with pytest.raises(Invalid) as refusal:
        world.mobility(host=company.pk)
    assert [reason.code for reason in refusal.value.reasons] == ["no-such-host"]
    sheet = b"email,host,starts_on,ends_on\n" + f"{world.ana.email},datos.example,2026-09-01,2026-12-01\n".encode()
    with pytest.raises(Invalid) as refusal:
        import_mobilities(world.home, by=actor(world.bia), now=NOW, file=Upload.of("a.csv", "text/csv", sheet))
    assert "unknown-host" in [reason.code for reason in refusal.value.reasons]


def test_only_the_student_and_both_offices_see_where_somebody_is(world: World) -> None:
    made = world.mobility()
    seen = {who: Mobility.objects.visible_to(actor(getattr(world, who))).filter(pk=made.pk).exists() for who in ("ana", "bia", "carlos", "dora")}
    assert seen == {"ana": True, "bia": True, "carlos": True, "dora": False}
    assert not Mobility.objects.visible_to(ANONYMOUS).exists()


def test_recording_opens_a_learning_agreement_of_courses_in_person(world: World) -> None:
    made = world.mobility(courses=[STATISTICS, LAW])
    agreement = opened(made)
    version = agreement.current_version
    assert version is not None
    assert (agreement.student, agreement.home, agreement.host, agreement.application) == (world.ana, world.home, world.host, None)
    assert [(c.code, c.credits, c.credit_system, c.is_virtual, c.home_credits) for c in version.text.components] == [
        ("DER102", "4", "sct-chile", False, "3"), ("EST101", "6", "sct-chile", False, "4"),
    ]  # fmt: skip


def test_the_agreement_of_a_mobility_is_presented_signed_by_three_and_printed_like_any_other(world: World) -> None:
    agreement = opened(world.mobility())
    agreement = present(agreement, by=actor(world.bia), now=NOW)
    version = fresh(agreement).current_version
    for who in (world.ana, world.bia, world.carlos):
        agreement = sign(agreement, by=actor(who), now=NOW, digest=version.digest)
    assert (fresh(agreement).state, fresh(agreement).signed_version) == ("signed", 1)
    assert pdf_of(fresh(agreement), version, "es").startswith(b"%PDF")


def test_a_change_of_courses_makes_a_new_version_and_a_kept_course_keeps_its_name(world: World) -> None:
    made = world.mobility(courses=[STATISTICS])
    kept = made.courses.get().pk
    change_courses(made, by=actor(world.bia), now=NOW, courses=[STATISTICS, LAW], because="A seminar was added.")
    agreement = opened(made)
    assert agreement.current == 2
    assert made.courses.get(code="EST101").pk == kept
    version = agreement.current_version
    assert version is not None
    assert [c.code for c in version.text.components] == ["DER102", "EST101"]


def test_home_can_still_say_what_it_recognises_for_a_course_in_person(world: World) -> None:
    agreement = opened(world.mobility())
    lines = [line.model_copy(update={"home_credits": "5"}) for line in TABLE["learning_agreement", "draft_version"].asks["components"].start(agreement, SYSTEM)]  # type: ignore[misc]
    agreement = draft_version(agreement, by=actor(world.bia), now=NOW, components=lines)
    version = fresh(agreement).current_version
    assert [c.home_credits for c in version.text.components] == ["5"]


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        ({"ends_on": date(2026, 7, 1)}, ["dates-reversed"]),
        ({"ends_on": date(2036, 7, 1)}, ["too-long-a-stay"]),
        ({"country": "ZZ"}, ["no-country"]),
        ({"nationalities": ["PE", "Q1"], "residence": "XX"}, ["no-country", "no-country"]),
        ({"courses": [STATISTICS, STATISTICS]}, ["course-twice"]),
        ({"courses": [STATISTICS.model_copy(update={"credit_system": "gold"})]}, ["credit-system"]),
        ({"courses": [STATISTICS.model_copy(update={"title": " ", "credits": Decimal(-1)})]}, ["course-unnamed", "bad-credits"]),
    ],
)
def test_what_cannot_be_is_refused_with_every_reason(world: World, facts: dict[str, Any], codes: list[str]) -> None:
    with pytest.raises(Invalid) as refusal:
        world.mobility(**facts)
    assert [reason.code for reason in refusal.value.reasons] == codes
    assert not Mobility.objects.exists()


def test_nobody_is_at_two_places_at_once(world: World) -> None:
    first = world.mobility()
    with pytest.raises(Invalid) as refusal:
        world.mobility(starts_on=date(2026, 12, 18), ends_on=date(2027, 3, 1))
    assert [reason.code for reason in refusal.value.reasons] == ["stay-overlaps"]
    cancel(first, by=actor(world.bia), now=NOW, because="It was a mistake.")
    assert world.mobility(starts_on=date(2026, 12, 18), ends_on=date(2027, 3, 1)).state == "planned"


@pytest.mark.parametrize("verb", list(STEPS))
@pytest.mark.parametrize("state", list(State))
def test_every_verb_follows_the_table_in_every_state(world: World, verb: str, state: State) -> None:
    made = world.mobility()
    Mobility.objects.filter(pk=made.pk).update(state=state)
    entry = TABLE["mobility", verb]
    inputs: dict[str, dict[str, Any]] = {
        "edit": {"country": "CL", "starts_on": date(2026, 8, 2), "ends_on": date(2026, 12, 1)}, "cancel": {"because": "Ill"},
        "change_courses": {"courses": [LAW]},
    }  # fmt: skip
    given = inputs.get(verb, {})
    if state in STEPS[verb].before:
        entry.perform(fresh(made), by=actor(world.bia), now=NOW, **given)
        assert fresh(made).state == (STEPS[verb].after or state)
    else:
        with pytest.raises(Refused):
            entry.perform(fresh(made), by=actor(world.bia), now=NOW, **given)


def test_an_arrival_is_asked_for_when_it_can_have_happened_not_months_before(world: World) -> None:
    far, near = world.mobility(starts_on=date(2026, 9, 3)), world.mobility(world.student("Beto"), starts_on=date(2026, 9, 2))
    with clock.stopped_at(NOW):
        assert [TABLE["mobility", "arrive"].possible(each) for each in (far, near)] == [False, True]


def test_arrival_and_return_are_told_by_the_student_and_stand_in_the_history(world: World) -> None:
    made = world.mobility()
    made = arrive(made, by=actor(world.ana), now=NOW)
    made = come_back(made, by=actor(world.ana), now=NOW)
    assert (made.state, [told.verb for told in audit.history([("mobility", made.pk)])]) == ("over", ["come_back", "arrive", "record_mobility"])


def test_a_stranger_and_the_host_cannot_move_a_stay(world: World) -> None:
    made = world.mobility()
    for who in (world.carlos, world.dora, world.ana):
        with pytest.raises(NotAllowed):
            edit(made, by=actor(who), now=NOW, country="CL", starts_on=date(2026, 8, 2), ends_on=date(2026, 12, 1))


def test_cancelling_ends_the_agreement_too(world: World) -> None:
    made = world.mobility()
    cancel(made, by=actor(world.bia), now=NOW, because="The grant was refused.")
    assert (fresh(made).state, opened(made).state) == ("cancelled", "cancelled")


# The file --------------------------------------------------------------------------------------------------------------


def upload(*lines: str) -> Upload:
    return Upload.of("stays.csv", "text/csv", "\n".join(lines).encode())


def test_a_file_of_stays_groups_the_courses_of_each_and_is_repeatable(world: World) -> None:
    head = "student_number;host;inicio;fin;ciudad;nacionalidad;course_code;course_title;creditos;home_code;home_credits"
    stay = f"2020-0;{world.host.schac};15/08/2026;2026-12-10;Valparaíso;PE CL"
    file = upload(head, f"{stay};EST101;Estadística;6,5;ECO-301;4", f"{stay};DER102;Derecho;4;LAW-2;3")
    for _again in range(2):
        import_mobilities(world.home, by=actor(world.bia), now=NOW, file=file)
    made = Mobility.objects.get()
    assert (made.student, made.starts_on, made.ends_on, made.city, made.nationalities) == (
        world.ana, date(2026, 8, 15), date(2026, 12, 10), "Valparaíso", ["PE", "CL"],
    )  # fmt: skip
    assert list(made.courses.values_list("code", "credits", "home_credits")) == [("DER102", Decimal(4), Decimal(3)), ("EST101", Decimal("6.50"), Decimal(4))]
    assert opened(made).current == 1


def test_every_bad_line_is_named_and_nothing_is_taken(world: World) -> None:
    head = "email,host,starts_on,ends_on,course_code,credits,course_title"
    good = f"{world.ana.email},{world.host.schac},2026-08-01,2026-12-01,A1,4,Law"
    with pytest.raises(Invalid) as refusal:
        import_mobilities(
            world.home, by=actor(world.bia), now=NOW,
            file=upload(head, good, f"nobody@example.edu,{world.host.schac},2026-08-01,2026-12-01,A1,4,Law", f"{world.ana.email},nowhere.example,2027-08-01,2027-12-01,,,",
                        f"{world.ana.email},{world.host.schac},soon,2026-12-01,,,", f"{world.ana.email},{world.host.schac},2026-08-01,2026-12-24,A2,4,Art", f"{world.ana.email},{world.host.schac},2026-11-01,2027-02-01,,,"),
        )  # fmt: skip
    told = sorted((reason.params["line"], reason.code) for reason in refusal.value.reasons)
    assert told == [(3, "no-such-student"), (4, "unknown-host"), (5, "bad-day"), (6, "stay-differs"), (7, "stay-overlaps")]
    assert not Mobility.objects.exists()


@pytest.mark.parametrize(("data", "code"), [(b"", "file-empty"), (b"PK\x03\x04", "not-csv"), (b"email\nx@y\n", "no-column"), (b"\xff\x00", "undecodable"), (b"email,host,starts_on,ends_on\n", "no-lines")])
def test_a_file_that_is_no_list_of_stays_is_refused(world: World, data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        import_mobilities(world.home, by=actor(world.bia), now=NOW, file=Upload.of("x.csv", "text/csv", data))
    assert refusal.value.reasons[0].code == code
