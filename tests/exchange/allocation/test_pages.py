"""The pages: what the office, the student and everybody read and can do about a call's seats."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client

from tests.exchange.allocation import given
from tests.exchange.allocation.given import CLOSES, NOW
from vsm.exchange.allocation import actions
from vsm.exchange.allocation.audit import check
from vsm.exchange.allocation.lottery import commitment
from vsm.exchange.allocation.models import Frozen, Run, SealedSeed, Seat
from vsm.exchange.allocation.rules import opaque
from vsm.exchange.applications.models import Call
from vsm.kit import clock
from vsm.web.coordinator.allocation import seats_table
from vsm.web.coordinator.comparing import placed_of
from vsm.web.student.allocation import result_for

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)


def reader(person: Any = None) -> Client:
    client = Client(headers={"accept-language": "en"})
    if person is not None:
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def text_of(client: Client, path: str, status: int = 200) -> str:
    with clock.stopped_at(LATER):
        answer = client.get(path)
    assert answer.status_code == status, answer.content.decode()[-2000:]
    return answer.content.decode()


def act(client: Client, path: str, **inputs: object) -> int:
    with clock.stopped_at(LATER):
        return client.post(path, inputs).status_code


# The office -----------------------------------------------------------------------------------------------------------


def test_the_office_makes_compares_and_publishes_in_the_browser() -> None:
    world = given.three()
    carlos = reader(world.people["carlos"])
    page = f"/calls/{world.call.pk}/allocation/"
    assert "Make an allocation preview" in text_of(carlos, page)

    for mechanism in ("deferred_acceptance", "serial_dictatorship"):
        assert act(carlos, f"/calls/{world.call.pk}/allocate/", mechanism=mechanism) == 302
    side_by_side = text_of(carlos, page)
    assert "Previews side by side" in side_by_side
    assert side_by_side.count('data-label="A"') > 5, "on a phone a line has the key, and the legend its name"
    assert side_by_side.count("Publish this result") == 2
    assert "Students with a seat, by home institution" in side_by_side
    assert "Universidad Andina" in side_by_side

    run = Run.objects.get(number=1)
    preview = text_of(carlos, f"/runs/{run.pk}/")
    assert "A preview: nobody has been told" in preview
    assert "Passed, after looking at 5 choices" in preview
    assert SealedSeed.objects.get().seed not in preview + side_by_side

    assert act(carlos, f"/runs/{run.pk}/publish/", expected_version=run.version, because="The rules that were announced.") == 302
    world.call.refresh_from_db()
    after = text_of(carlos, page)
    assert SealedSeed.objects.get().seed in after
    assert "Seats and waiting lists now" in after
    assert f"/runs/{run.pk}/publish/" not in after


def test_a_call_without_sealed_seed_says_why_it_matters() -> None:
    world = given.world(sealed=False)
    Call.objects.update(closes_at=LATER + timedelta(days=1), nominate_by=LATER + timedelta(days=2))
    carlos = reader(world.people["carlos"])

    text = text_of(carlos, f"/calls/{world.call.pk}/allocation/")
    assert "whoever draws it later knows the applicants" in text
    assert "Seal the lottery seed" in text
    assert act(carlos, f"/calls/{world.call.pk}/commit_seed/") == 302
    assert "A seed is drawn and sealed" in text_of(carlos, f"/calls/{world.call.pk}/allocation/")


def test_a_refused_run_names_every_reason_on_the_page() -> None:
    world = given.world(sealed=False)
    with clock.stopped_at(CLOSES):
        answer = reader(world.people["carlos"]).post(f"/calls/{world.call.pk}/allocate/", {"mechanism": "deferred_acceptance"})

    assert answer.status_code == 409
    for words in ("Homes nominate until", "No lottery seed was sealed", "No application in this call is nominated"):
        assert words in answer.content.decode()


def test_a_run_that_fails_the_audit_says_so() -> None:
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    Frozen.objects.update(outcome=b"{}")

    text = text_of(reader(world.people["carlos"]), f"/runs/{run.pk}/")
    assert "Not passed: this run cannot be published" in text
    assert "The stored files are not those whose digests were noted" in text


def test_a_run_draws_who_got_what_from_its_own_counts() -> None:
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    by_home, by_course = ({row["label"]: [bar["value"] for bar in row["bars"]] for row in chart["rows"]} for chart in placed_of(run.counts))

    assert sorted(by_home.values()) == [[1, 0], [2, 2]]
    assert sorted(by_course.values()) == [[1, 1, 2], [1, 1, 3]]
    assert "By course: seats, those given, and students who ranked it" in text_of(reader(world.people["carlos"]), f"/runs/{run.pk}/")


def test_the_offices_page_is_for_the_office_of_the_call() -> None:
    world = given.three()
    for name, status in (("carlos", 200), ("bia", 404), ("dora", 404)):
        text_of(reader(world.people[name]), f"/calls/{world.call.pk}/allocation/", status)
    text_of(reader(world.applications["ana"].student), f"/calls/{world.call.pk}/allocation/", 404)
    assert reader().get(f"/calls/{world.call.pk}/allocation/").status_code == 302


def test_the_waiting_list_shows_order_and_reason() -> None:
    world = given.three()
    given.published(world)
    carlos = reader(world.people["carlos"])

    text = text_of(carlos, f"/waiting-places/?call={world.call.pk}&offering={world.offerings['algebra'].pk}")
    assert "Ana" in text
    assert "Carla" not in text
    csv = b"".join(carlos.get("/waiting-places.csv").streaming_content).decode()  # type: ignore[attr-defined] -- a streaming answer
    assert csv.splitlines()[0].lstrip("\ufeff").split(",")[1:8] == ["offering", "position", "student", "home", "band", "lottery", "rank"]
    assert len(csv.splitlines()) == 3


def test_whoever_has_an_offer_keeps_the_place_and_is_not_counted_among_those_who_wait() -> None:
    world = given.three()
    run = given.published(world)
    carlos, algebra = reader(world.people["carlos"]), world.offerings["algebra"]
    here = f"/waiting-places/?call={world.call.pk}&offering={algebra.pk}"

    def told() -> tuple[list[str], list[bool]]:
        rows = [row["cells"] for row in seats_table(world.call, run)["rows"]]
        links = [cell["value"] for row in rows for cell in row if str(cell["value"]).find("waiting-places") > 0 and str(algebra.pk) in str(cell["value"])]
        assert [link["url"] for link in links] == [f"{here}&state=waiting"]
        return [link["label"] for link in links], ["Ana" in text_of(carlos, f"{here}{rest}") for rest in ("", "&state=waiting", "&state=offered")]

    assert told() == (["1"], [True, True, False])
    actions.add_seats(world.call, by=world.carlos, now=NOW, offering=algebra.pk, seats=1, because="A bigger room.")
    assert told() == (["0"], [True, False, True])
    assert "Has an offer" in text_of(carlos, here)


@pytest.mark.parametrize(("path", "queries"), [("/runs/", 9), ("/seats/", 9), ("/waiting-places/", 9)])
@pytest.mark.parametrize("items", [1, 3])
def test_a_list_costs_the_same_with_one_and_with_three(path: str, queries: int, items: int, django_assert_num_queries: Any) -> None:
    world = given.world()
    given.offer(world, "algebra", items)
    for number in range(items * 2):
        given.nominated(world, f"s{number}", ["algebra"])
    for _ in range(items - 1):
        actions.allocate(world.call, by=world.carlos, now=NOW)
    given.published(world)
    carlos = reader(world.people["carlos"])

    with django_assert_num_queries(queries):
        text_of(carlos, path)


# The student ----------------------------------------------------------------------------------------------------------


def test_a_student_reads_what_her_answer_will_do_and_accepts() -> None:
    world = given.three()
    given.published(world)
    actions.decline(world.seat("bela", "algebra"), by=world.student("bela"), now=NOW)
    ana, seat = reader(world.applications["ana"].student), world.seat("ana", "algebra")
    ana.cookies["django_language"] = "en"

    text = text_of(ana, f"/seats/{seat.pk}/")
    assert "This seat is offered to you" in text
    assert "(America/Lima)" in text
    assert "You give back: Biology. It goes to the next student at once." in text
    assert "You keep: Biology." in text
    assert "is full. Seats: 1. The last person admitted was in priority band 1" in text

    assert act(ana, f"/seats/{seat.pk}/accept/", expected_version=seat.version) == 302
    assert "The seat is yours." in text_of(ana, f"/seats/{seat.pk}/")
    assert world.holds() == {"ana": ["algebra"], "carla": ["biology"]}


def test_a_student_reads_her_result_in_her_own_language() -> None:
    world = given.three()
    given.published(world)

    assert "Curso algebra" in text_of(reader(world.applications["ana"].student), f"/seats/{world.seat('ana', 'biology').pk}/")


def test_the_last_seat_declined_says_that_lower_choices_are_not_looked_at_again() -> None:
    world = given.three()
    given.published(world)

    text = text_of(reader(world.applications["bela"].student), f"/seats/{world.seat('bela', 'algebra').pk}/")
    assert "Choices below this one are not looked at again." in text


def test_home_reads_the_seat_without_the_students_buttons() -> None:
    world = given.three()
    given.published(world)

    text = text_of(reader(world.people["bia"]), f"/seats/{world.seat('bela', 'algebra').pk}/")
    assert "The student can answer until" in text
    assert "/accept/" not in text
    assert "If you accept" not in text


def test_a_seat_of_others_is_not_found() -> None:
    world = given.three()
    given.published(world)

    for who in (world.people["dora"], world.people["luiza"], world.applications["ana"].student):
        text_of(reader(who), f"/seats/{world.seat('bela', 'algebra').pk}/", 404)


def test_the_result_stands_ready_for_the_page_of_the_application() -> None:
    world = given.three()
    ana = world.applications["ana"]
    assert result_for(ana, world.student("ana"))["result"] == []
    given.published(world)

    context = result_for(ana, world.student("ana"))
    assert [(each["rank"], each["state"]["label"], each["asks"]) for each in context["result"]] == [(1, "Waiting, now number 1", False), (2, "Offered", True)]
    html = render_to_string("student/allocation/result.html", context)
    assert f"/seats/{world.seat('ana', 'biology').pk}/" in html
    assert opaque(ana.pk) in html
    assert "told as the student reads them" in render_to_string("student/allocation/result.html", result_for(ana, world.bia))


def test_an_offer_to_answer_stands_before_the_appeal_on_the_page_of_the_application() -> None:
    world = given.three()
    given.published(world)
    bela = world.applications["bela"]
    buttons = text_of(reader(bela.student), f"/applications/{bela.pk}/").partition('<ul class="verbs">')[2].partition("</ul>")[0]
    assert "Accept or decline · Algebra" in buttons.partition("</li>")[0]
    assert "Appeal against the result" in buttons
    assert "Accept or decline · Algebra" not in text_of(reader(world.people["bia"]), f"/applications/{bela.pk}/")


# Everybody ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "told"), [(36, "within 36 hours"), (48, "within 48 hours"), (240, "within 10 days")])
def test_the_time_to_answer_is_told_in_days_where_it_is_some(hours: int, told: str) -> None:
    world = given.world(respond_hours=hours)
    assert told in text_of(reader(), f"/calls/{world.call.pk}/rules/")


def test_the_rules_are_public_and_the_seed_is_not_before_the_result() -> None:
    world = given.three()
    actions.allocate(world.call, by=world.carlos, now=NOW)
    seed = SealedSeed.objects.get().seed

    text = text_of(reader(), f"/calls/{world.call.pk}/rules/")
    assert world.call.seed_commitment in text
    assert seed not in text
    for file in ("problem", "outcome"):
        assert seed not in text_of(reader(), f"/calls/{world.call.pk}/rules/{file}.json", 404)


def test_everybody_can_check_a_published_result_with_the_files_alone() -> None:
    world = given.three()
    run = given.published(world)
    text = text_of(reader(), f"/calls/{world.call.pk}/rules/")
    problem, outcome = (reader().get(f"/calls/{world.call.pk}/rules/{file}.json").content for file in ("problem", "outcome"))

    assert commitment(json.loads(problem)["seed"]) == world.call.seed_commitment
    assert (hashlib.sha256(problem).hexdigest(), hashlib.sha256(outcome).hexdigest()) == (run.problem_digest, run.outcome_digest)
    for published in (run.seed, run.problem_digest, run.outcome_digest):
        assert published in text
    assert check(problem, outcome).ok
    for name, application in world.applications.items():
        for secret in (str(application.pk), str(application.student_id), application.student.email, name.title()):
            assert secret not in (problem + outcome).decode()
            assert secret not in text


def test_a_student_finds_herself_in_the_files() -> None:
    world = given.three()
    given.published(world)
    ana = world.applications["ana"]

    assert opaque(ana.pk) in text_of(reader(ana.student), f"/calls/{world.call.pk}/rules/")
    assert opaque(ana.pk) not in text_of(reader(), f"/calls/{world.call.pk}/rules/")


def test_honesty_is_promised_only_where_the_rules_keep_the_promise() -> None:
    world = given.three()
    several = text_of(reader(), f"/calls/{world.call.pk}/rules/")
    Call.objects.update(max_seats=1)
    one = text_of(reader(), f"/calls/{world.call.pk}/rules/")

    promise = "Under these rules no list serves you better than your true order of wishes."
    assert promise not in several
    assert promise in one


def test_a_draft_has_no_public_rules() -> None:
    world = given.world(state="draft")

    text_of(reader(), f"/calls/{world.call.pk}/rules/", 404)
    text_of(reader(), f"/calls/{world.call.pk}/rules/nothing.json", 404)


def test_an_unknown_file_is_not_found() -> None:
    world = given.three()
    given.published(world)

    text_of(reader(), f"/calls/{world.call.pk}/rules/seed.json", 404)
    assert Seat.objects.count() == 2
