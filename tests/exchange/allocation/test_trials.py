"""Trials and the worker: side by side without anybody being told, long work apart, an order to publish that can be undone."""

import base64
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.api.caller import with_token
from tests.exchange.allocation import given
from tests.exchange.allocation.given import NOW
from tests.exchange.allocation.test_pages import reader, text_of
from vsm.exchange.allocation import actions, computing, trials
from vsm.exchange.allocation.models import Explanation, Frozen, Run, Seat, Trial, TrialFile
from vsm.exchange.allocation.policies import ReserveRow
from vsm.exchange.allocation.states import TRIAL_STEPS, TrialState
from vsm.exchange.allocation.trials import SeatsRow
from vsm.exchange.applications.models import Application
from vsm.kit import clock
from vsm.kit.actions import TABLE
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Invalid, Refused
from vsm.kit.jobs import drain
from vsm.kit.uploads import Upload

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
ROOT = Path(__file__).resolve().parents[3]


def codes(refusal: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]


def csv(name: str, text: str) -> Upload:
    return Upload.of(name, "text/csv", text.encode())


OFFERINGS = csv("offerings.csv", "offering_id,capacity\nalgebra,1\nbiology,1\n")
STUDENTS = csv("students.csv", "student_id,seats_wanted,groups\nana,1,\nbia,1,rural\ncarla,1,\n")
CHOICES = csv("choices.csv", "student_id,rank,offering_id,priority\nana,1,algebra,2\nana,2,biology,1\nbia,1,algebra,1\ncarla,1,biology,2\n")


# Side by side ---------------------------------------------------------------------------------------------------------


def test_a_trial_compares_every_mechanism_and_changes_nothing() -> None:
    world = given.three()
    biology = str(world.offerings["biology"].pk)
    with clock.stopped_at(NOW):
        trial = trials.try_out(
            world.call, by=world.carlos, now=NOW, title="One more", seats=[SeatsRow(offering=biology, seats=2)], reserves=[ReserveRow(group="rural", seats=1)]
        )
        drain()
    trial.refresh_from_db()

    assert (trial.state, trial.error) == ("ready", [])
    assert [(c["side"], c["mechanism"]) for c in trial.columns] == [
        (side, mechanism) for side in ("now", "changed") for mechanism in ("deferred_acceptance", "serial_dictatorship", "utilitarian")
    ]
    placed = {(c["side"], c["mechanism"]): c["counts"]["placed"] for c in trial.columns}
    assert (placed["now", "deferred_acceptance"], placed["changed", "deferred_acceptance"]) == (2, 3)
    assert trial.columns[0]["counts"]["envy"] == 0
    assert (Run.objects.count(), Seat.objects.count()) == (0, 0)
    assert set(Application.objects.values_list("state", flat=True)) == {"nominated"}
    page = text_of(reader(world.people["carlos"]), f"/trials/{trial.pk}/")
    assert page.count("<figure") == 2
    assert "What is different in this trial" in page
    text_of(reader(world.people["bia"]), f"/trials/{trial.pk}/", 404)


def test_a_trial_draws_a_lottery_of_its_own() -> None:
    world = given.three()
    with clock.stopped_at(NOW):
        seeds = {trials.try_out(world.call, by=world.carlos, now=NOW).seed for _ in range(3)}
    assert len(seeds) == 3
    assert computing.sealed_seed(world.call) not in seeds


def test_a_trial_of_foreign_courses_or_of_nobody_is_refused() -> None:
    world = given.three()
    with pytest.raises(Invalid) as refusal:
        trials.try_out(world.call, by=world.carlos, now=NOW, seats=[SeatsRow(offering="elsewhere", seats=1)], reserves=[ReserveRow(group="tall", seats=1)])
    assert codes(refusal) == ["not-in-call", "group-unknown"]
    Application.objects.update(state="withdrawn")
    with pytest.raises(Refused) as empty:
        trials.try_out(world.call, by=world.carlos, now=NOW)
    assert codes(empty) == ["nobody-nominated"]


def test_files_are_solved_and_the_answer_is_there_as_files() -> None:
    world = given.world()
    with clock.stopped_at(NOW):
        trial = trials.solve_files(world.mapocho, by=world.carlos, now=NOW, offerings=OFFERINGS, students=STUDENTS, choices=CHOICES, seed="corn")
        drain()
    trial.refresh_from_db()

    assert (trial.state, trial.error) == ("ready", [])
    answer = {file.name: file.content for file in TrialFile.objects.filter(trial=trial, is_answer=True)}
    assert set(answer) == {"placements.csv", "unplaced.csv", "waiting.csv", "summary.json", "lists.soi"}
    assert answer["placements.csv"].split() == ["student_id,offering_id,rank", "ana,biology,2", "bia,algebra,1"]
    assert [c["mechanism"] for c in trial.columns] == ["deferred_acceptance", "serial_dictatorship", "utilitarian"]
    carlos = reader(world.people["carlos"])
    assert f"/trials/{trial.pk}/files/placements.csv" in text_of(carlos, f"/trials/{trial.pk}/")
    assert text_of(carlos, f"/trials/{trial.pk}/files/unplaced.csv").split() == ["student_id", "carla"]
    text_of(reader(world.people["bia"]), f"/trials/{trial.pk}/files/unplaced.csv", 404)


def test_the_same_files_are_solved_with_other_seats_beside_them() -> None:
    world = given.world()
    with clock.stopped_at(NOW):
        first = trials.solve_files(world.mapocho, by=world.carlos, now=NOW, offerings=OFFERINGS, students=STUDENTS, choices=CHOICES, seed="corn")
        drain()
        first.refresh_from_db()
        as_they_are = trials._seats_of_files(first, world.carlos)
        for seats, code in ((as_they_are, "nothing-varied"), ([SeatsRow(offering="chess", seats=1)], "offering-unknown")):
            with pytest.raises(Invalid) as refusal:
                trials.vary(first, by=world.carlos, now=NOW, seats=seats)
            assert codes(refusal) == [code]
        second = trials.vary(first, by=world.carlos, now=NOW, seats=[SeatsRow(offering="biology", seats=2), SeatsRow(offering="algebra", seats=1)])
        drain()
    second.refresh_from_db()

    assert [(row.offering, row.seats) for row in as_they_are] == [("algebra", 1), ("biology", 1)]
    assert (second.state, second.error, second.seed) == ("ready", [], "corn")
    assert second.files.get(name="offerings.csv").content == "offering_id,capacity\nalgebra,1\nbiology,2\n"
    assert second.files.get(name="placements.csv").content.split()[1:] == ["ana,biology,2", "bia,algebra,1", "carla,biology,1"]
    assert [(c["side"], c["counts"]["placed"]) for c in second.columns] == [("now", 2)] * 3 + [("changed", placed) for placed in (3, 2, 3)]
    assert "biology: 2 seats" in text_of(reader(world.people["carlos"]), f"/trials/{second.pk}/")
    text_of(reader(world.people["bia"]), f"/trials/{first.pk}/vary/", 404)
    trials.discard(first, by=world.carlos, now=NOW)
    with pytest.raises(Refused) as over:
        trials.vary(first, by=world.carlos, now=NOW, seats=[SeatsRow(offering="biology", seats=2)])
    assert codes(over) == ["state"]


def test_files_are_solved_with_the_exact_timetable_and_a_lottery_for_each_course_where_asked() -> None:
    """The five courses of `fast_and_exact`, on which the fast way passes somebody over; trying other seats keeps the rules."""
    world = given.world()
    sent = {path.stem: Upload.of(path.name, "text/csv", path.read_bytes()) for path in (Path(__file__).parent / "fast_and_exact").glob("*.csv")}
    with clock.stopped_at(NOW):
        tried = {
            (timetable, lottery): trials.solve_files(world.mapocho, by=world.carlos, now=NOW, seed="7", timetable=timetable, lottery=lottery, **sent)
            for timetable, lottery in (("fast", "single"), ("exact", "single"), ("fast", "per_offering"))
        }
        drain()
    envy, said = {}, {}
    for rules, trial in tried.items():
        trial.refresh_from_db()
        assert (trial.state, trial.error) == ("ready", [])
        envy[rules[0], rules[1]] = trial.columns[0]["counts"]["envy"]
        said[rules[0], rules[1]] = json.loads(trial.files.get(name="summary.json").content)
    assert (envy["fast", "single"], envy["exact", "single"]) == (1, 0)
    assert [(each.get("timetable", "fast"), each["lottery"]) for each in said.values()] == [*tried]
    exact = tried["exact", "single"]
    page = text_of(reader(world.people["carlos"]), f"/trials/{exact.pk}/")
    assert "No two seats that clash, the exact way" in page
    with clock.stopped_at(NOW):
        seats = trials._seats_of_files(exact, world.carlos)
        varied = trials.vary(exact, by=world.carlos, now=NOW, seats=[SeatsRow(offering=seats[0].offering, seats=seats[0].seats + 1)])
    assert (varied.timetable, varied.lottery) == ("exact", "single")


def test_lists_of_preflib_are_solved_and_given_back() -> None:
    world = given.world()
    lists = Upload.of("lists.soi", "text/plain", b"# ALTERNATIVE NAME 1: algebra\n# ALTERNATIVE NAME 2: biology\n2: 1,2\n1: 2\n")
    with clock.stopped_at(NOW):
        trial = trials.solve_lists(world.mapocho, by=world.carlos, now=NOW, lists=lists, seats=1, seed="corn")
        drain()
    trial.refresh_from_db()

    assert (trial.state, trial.columns[0]["counts"]["placed"]) == ("ready", 2)
    assert trial.files.get(name="lists.soi").content.splitlines()[-2:] == ["2: 1,2", "1: 2"]
    for content, code in ((b"# ALTERNATIVE NAME 1: algebra\n1: 2\n", "preflib-line"), (b"# ALTERNATIVE NAME 1: algebra\n9999999: 1\n", "too-many-voters")):
        with pytest.raises(Invalid) as refusal:
            trials.solve_lists(world.mapocho, by=world.carlos, now=NOW, lists=Upload.of("lists.soi", "text/plain", content), seats=1)
        assert codes(refusal) == [code]


def test_a_file_with_faults_says_where_they_are() -> None:
    world = given.world()
    wrong = csv("choices.csv", "student_id,rank,offering_id,priority\nana,1,chess,2\nzoe,1,algebra,1\n")
    with clock.stopped_at(NOW):
        trial = trials.solve_files(world.mapocho, by=world.carlos, now=NOW, offerings=OFFERINGS, students=STUDENTS, choices=wrong)
        drain()
    trial.refresh_from_db()
    assert trial.state == "failed"
    assert len(trial.error) == 2
    page = text_of(reader(world.people["carlos"]), f"/trials/{trial.pk}/")
    assert "choices.csv" in page
    assert "chess" in page
    with pytest.raises(Invalid) as refusal:
        trials.solve_files(world.mapocho, by=world.carlos, now=NOW, offerings=Upload.of("o.csv", "text/csv", b"\xff\xfe\x00"), students=STUDENTS, choices=CHOICES)
    assert codes(refusal) == ["not-text"]


@pytest.mark.parametrize("state", list(TrialState))
@pytest.mark.parametrize("verb", [verb for verb, step in TRIAL_STEPS.items() if step.after])
def test_each_verb_of_a_trial_works_from_its_own_states_only(verb: str, state: str) -> None:
    world = given.three()
    trial = trials.try_out(world.call, by=world.carlos, now=NOW)
    Trial.objects.filter(pk=trial.pk).update(state=state)
    if state in TRIAL_STEPS[verb].before:
        assert TABLE["trial", verb].perform(trial, by=SYSTEM, now=NOW).state == TRIAL_STEPS[verb].after
        return
    with pytest.raises(Refused) as refusal:
        TABLE["trial", verb].perform(trial, by=SYSTEM, now=NOW)
    assert codes(refusal) == ["state"]


# In the worker --------------------------------------------------------------------------------------------------------


def test_a_large_run_is_begun_at_once_and_completed_by_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    world = given.three()
    quick = actions.allocate(world.call, by=world.carlos, now=NOW)
    monkeypatch.setattr(computing, "QUICK", 2)
    stages: list[int] = []
    monkeypatch.setattr(actions, "_tell_progress", lambda _run, stage: stages.append(stage))
    with clock.stopped_at(NOW):
        run = actions.allocate(world.call, by=world.carlos, now=NOW)
        assert (run.state, run.counts, Frozen.objects.filter(run=run).count()) == ("computing", {}, 0)
        carlos = reader(world.people["carlos"])
        assert "This is being computed" in text_of(carlos, f"/runs/{run.pk}/")
        assert "Look again" in text_of(carlos, f"/calls/{world.call.pk}/allocation/")
        drain()
    run.refresh_from_db()

    assert stages == [0, 1, 2, 3]
    assert (run.state, run.outcome_digest, run.counts) == ("preview", quick.outcome_digest, quick.counts)
    assert Explanation.objects.filter(run=run).count() == 3
    assert actions.publish(run, by=world.carlos, now=NOW, because="The rules that were announced.").state == "published"


def test_a_run_that_is_discarded_while_it_is_computed_stays_discarded(monkeypatch: pytest.MonkeyPatch) -> None:
    world = given.three()
    monkeypatch.setattr(computing, "QUICK", 0)
    with clock.stopped_at(NOW):
        run = actions.allocate(world.call, by=world.carlos, now=NOW)
        actions.discard(run, by=world.carlos, now=NOW)
        drain()
    run.refresh_from_db()
    assert (run.state, Frozen.objects.filter(run=run).count()) == ("discarded", 0)


def test_an_order_to_publish_can_be_undone_and_is_carried_out_in_its_time() -> None:
    world = given.three()
    with clock.stopped_at(NOW):
        run = actions.allocate(world.call, by=world.carlos, now=NOW)
        run = actions.schedule(run, by=world.carlos, now=NOW, at=LATER, because="The rules that were announced.")
        actions.publish_due.call()
        drain()
        assert Run.objects.get().state == "scheduled"
        assert "Until then it can be undone" in text_of(reader(world.people["carlos"]), f"/runs/{run.pk}/")
        run = actions.undo(run, by=world.carlos, now=NOW)
        assert (run.state, run.publish_at) == ("preview", None)
        actions.schedule(run, by=world.carlos, now=NOW, at=LATER, because="The rules that were announced.")
    with clock.stopped_at(LATER):
        actions.publish_due.call()
        drain()
    assert (Run.objects.get().state, Seat.objects.count()) == ("published", 2)


def test_an_order_that_has_become_wrong_is_put_back_with_its_reason() -> None:
    world = given.three()
    with clock.stopped_at(NOW):
        run = actions.allocate(world.call, by=world.carlos, now=NOW)
        actions.schedule(run, by=world.carlos, now=NOW, because="The rules that were announced.")
        Application.objects.filter(pk=world.applications["bela"].pk).update(state="withdrawn")
        drain()
    run.refresh_from_db()
    assert (run.state, [each["code"] for each in run.error]) == ("preview", ["preview-outdated"])
    assert Seat.objects.count() == 0
    assert "It was to be published, and could not" in text_of(reader(world.people["carlos"]), f"/runs/{run.pk}/")


def test_a_moment_that_has_passed_is_refused() -> None:
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    for at, code in ((NOW - timedelta(minutes=1), "moment-past"), (NOW + timedelta(days=90), "moment-far")):
        with pytest.raises(Invalid) as refusal:
            actions.schedule(run, by=world.carlos, now=NOW, at=at, because="The rules that were announced.")
        assert codes(refusal) == [code]


SERVED = """
import sys
import django
from tests.conftest import as_in_tests
as_in_tests()
django.setup()
from django.test.utils import setup_test_environment
setup_test_environment()
from django.core.management import call_command
from django.conf import settings
settings.MIGRATION_MODULES = {config.label: None for config in django.apps.apps.get_app_configs()}
call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)
from tests.exchange.allocation import given
from tests.exchange.allocation.test_pages import reader, text_of, act
world = given.three()
carlos = reader(world.people["carlos"])
from vsm.exchange.allocation.models import Run
assert act(carlos, f"/calls/{world.call.pk}/allocate/", mechanism="deferred_acceptance") == 302
run = Run.objects.get()
assert act(carlos, f"/runs/{run.pk}/publish/", expected_version=run.version, because="The rules that were announced.") == 302
ana = reader(world.applications["ana"].student)
for who, path in (
    (carlos, f"/calls/{world.call.pk}/allocation/"), (carlos, f"/runs/{run.pk}/"), (carlos, f"/organisations/{world.mapocho.pk}/solve_files/"), (carlos, "/trials/"),
    (ana, f"/applications/{world.applications['ana'].pk}/"), (ana, f"/seats/{world.seat('ana', 'biology').pk}/"), (reader(), f"/calls/{world.call.pk}/rules/?audit=1"),
):
    text_of(who, path)
print(sorted(name for name in ("numba", "numpy", "scipy", "pyarrow") if name in sys.modules))
"""


def test_a_web_process_that_serves_these_pages_never_loads_compiled_code(tmp_path: Path) -> None:
    environment = {**os.environ, "VSM_DATA": str(tmp_path), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "DJANGO_SETTINGS_MODULE": "vsm.app.settings", "DATABASE_URL": "", "VSM_REQUIRE": ""}
    done = subprocess.run([sys.executable, "-c", SERVED], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_same_files_go_in_and_come_out_by_rest() -> None:
    world = given.world()
    sent = {name: {"name": f"{name}.csv", "data": base64.b64encode(upload.data).decode()} for name, upload in (("offerings", OFFERINGS), ("students", STUDENTS), ("choices", CHOICES))}
    with clock.stopped_at(NOW):
        carlos = with_token(world.people["carlos"])
        made = carlos.post(f"/organisations/{world.mapocho.pk}/solve_files", {**sent, "mechanism": "utilitarian", "seed": "corn"}).json()
        drain()
        varied = carlos.post(f"/trials/{made['id']}/vary", {"seats": [{"offering": "algebra", "seats": 2}]}).json()
        drain()
        answers = [{file["name"]: file["content"] for file in carlos.everything("/trial-files", trial=each["id"])} for each in (made, varied)]

        assert answers[0]["placements.csv"].split()[1:] == ["bia,algebra,1", "carla,biology,1"]
        assert answers[1]["placements.csv"].split()[1:] == ["ana,algebra,1", "bia,algebra,1", "carla,biology,1"]
        assert with_token(world.people["bia"]).everything("/trial-files", trial=made["id"]) == []
