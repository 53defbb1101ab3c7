"""The worker signs: once, whatever dies in between; with its own keys only; and nowhere else."""

import base64
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import grimp
import pytest
from django.db import transaction

from tests.exchange.credentials import given
from tests.exchange.credentials.given import NOW, World, work
from vsm.config import settings
from vsm.exchange.credentials import actions, signer, tasks
from vsm.exchange.credentials.models import Credential, IssuerKey, StatusList
from vsm.exchange.credentials.signer import Signer
from vsm.kit import clock, jobs
from vsm.kit.errors import Unavailable
from vsm.kit.models import Job
from vsm.kit.signing import read_jwt
from vsm.standards.open_badges.read import read

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.django_db


def folder(world: World) -> Path:
    return settings().data / "keys" / str(world.host.pk)


# What is signed -----------------------------------------------------------------------------------------------------


def test_the_credential_says_what_the_transcript_says(world: World) -> None:
    credential = world.issue()
    told = read(read_jwt(credential.token)[1])
    assert (told.issuer.id, told.issuer.name) == (
        f"http://testserver/issuers/{world.host.pk}/",
        "Universidad del Mapocho",
    )
    assert [(each.value, each.type) for each in told.learner.identities if not each.hashed] == [("Ana Ñahui", "name")]
    assert [each.matches("ana.ahui@example.org") for each in told.learner.identities if each.hashed] == [True]
    assert (told.achievement.name, told.achievement.language, told.achievement.code) == ("Estadística", "es", "MAT-201")
    assert [(each.language, each.name) for each in told.achievement.editions] == [
        ("en", "Statistics"), ("fr", "Statistique"), ("pt-BR", "Estatística"),
    ]  # fmt: skip
    assert [(each.code, each.url) for each in told.achievement.alignments] == [
        ("0542", "http://data.europa.eu/snb/isced-f/0542")
    ]
    grade, amount = told.achievement.results
    assert (grade.type, grade.minimum, grade.maximum, grade.required) == ("RawScore", "1.0", "7.0", "4.0")
    assert [(each.description, each.value) for each in told.results] == [(grade.id, "6.2"), (amount.id, "6")]
    assert (told.credits_earned, told.achievement.credits_available) == (6.0, 6.0)
    assert told.valid_from == (NOW + timedelta(seconds=1)).replace(microsecond=0)
    days = [each.isoformat() for each in (told.started, told.ended, told.awarded) if each]
    assert days == ["2027-03-01T12:00:00+00:00", "2027-07-10T12:00:00+00:00", "2027-07-15T12:00:00+00:00"]
    assert [each.digest for each in told.resources] == [integrity(world.transcript.digest), integrity("ab" * 32)]
    assert world.transcript.digest in told.evidence[0].narrative
    assert "Leer una tabla sin engañarse." in told.achievement.criteria


def integrity(hexadecimal: str) -> str:
    return "sha256-" + base64.b64encode(bytes.fromhex(hexadecimal)).decode()


@pytest.mark.parametrize(("language", "name"), [("pt-br", "Estatística"), ("en", "Statistics"), ("fr", "Statistique")])
def test_the_title_is_told_in_the_language_of_the_transcript(db: None, language: str, name: str) -> None:
    credential = given.world({"MAT-201": "6.2"}, language=language).issue()
    assert (credential.title, read(read_jwt(credential.token)[1]).achievement.name) == (name, name)


def test_letters_are_told_from_low_to_high(db: None) -> None:
    told = read(read_jwt(given.world({"MAT-201": "B"}, scale="us").issue().token)[1])
    described = told.achievement.results[0]
    assert (described.type, described.allowed) == ("LetterGrade", ("P", "NP", "F", "B", "A"))


def test_two_credentials_of_one_person_cannot_be_told_to_be_the_same_person_s(world: World) -> None:
    world.issue()
    told = [read(read_jwt(each.token)[1]) for each in Credential.objects.all()]
    assert len({each.learner.id for each in told}) == 2
    assert len({i.value for each in told for i in each.learner.identities if i.hashed}) == 2


# Once ---------------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The worker's process is gone: nothing after this line runs, the transaction is never committed."""


@pytest.mark.parametrize("where", ["sign", "reserve", "publish_keys"])
def test_a_worker_killed_in_between_leaves_one_credential_signed_by_its_successor(
    world: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    world.request()
    with monkeypatch.context() as patch:
        patch.setattr(Signer, where, _dying(getattr(Signer, where)))
        with clock.stopped_at(NOW), pytest.raises(Killed):
            jobs.drain()
    assert (Credential.objects.filter(state="issued").count(), IssuerKey.objects.count()) == (0, 0)
    work(NOW + timedelta(minutes=2))  # the lease of the dead worker has ended
    assert list(Credential.objects.values_list("state", flat=True)) == ["issued", "issued"]
    on_disk = {key["kid"] for key in json.loads((folder(world) / "keys.json").read_text())["keys"]}
    assert set(IssuerKey.objects.values_list("kid", flat=True)) == on_disk
    assert len(on_disk) == 1


def _dying(function: Callable[..., Any]) -> Callable[..., Any]:
    def last(*args: Any, **kwargs: Any) -> Any:
        function(*args, **kwargs)
        raise Killed

    return last


def test_a_job_delivered_twice_signs_once(world: World) -> None:
    credential = world.issue()
    before = (credential.token, credential.version)
    tasks.sign_credential.call(credential_id=str(credential.pk))
    credential.refresh_from_db()
    assert (credential.token, credential.version) == before


def test_a_credential_whose_grade_was_corrected_before_signing_is_revoked_unsigned(world: World) -> None:
    world.request()
    world.correct("MAT-201", "6.8")
    work()
    overtaken = Credential.objects.get(title="Estadística")
    assert (overtaken.state, overtaken.token, overtaken.because != "") == ("revoked", "", True)


def test_places_on_the_list_are_drawn_by_chance_until_a_free_one_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter([7, 7, 9])
    monkeypatch.setattr(signer.secrets, "randbelow", lambda _entries: next(drawn))
    world.issue()
    assert set(Credential.objects.values_list("status_index", flat=True)) == {7, 9}


def test_a_half_full_list_is_followed_by_another(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signer, "LIST_FULL", 1)
    world.issue()
    assert list(StatusList.objects.values_list("number", "url")) == [
        (1, f"http://testserver/status-lists/{world.host.pk}/1/"),
        (2, f"http://testserver/status-lists/{world.host.pk}/2/"),
    ]


def test_after_the_site_moved_new_credentials_stand_on_a_list_of_the_new_address(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = world.issue()
    monkeypatch.setattr(signer, "settings", lambda: replace(settings(), address="https://moved.example"))
    actions.revoke(old, by=world.ines, now=NOW, because="Misspelt name.")
    world.request()
    work()
    new = world.credential()
    assert new.status_list.url == f"https://moved.example/status-lists/{world.host.pk}/2/"
    assert StatusList.objects.get(number=1).issuer == f"http://testserver/issuers/{world.host.pk}/"


# Lists --------------------------------------------------------------------------------------------------------------


def test_each_list_is_signed_anew_once_a_day(world: World) -> None:
    world.issue()
    first = StatusList.objects.get()
    for hours, is_renewed in ((22, False), (24, True)):
        with clock.stopped_at(NOW + timedelta(hours=hours)):
            tasks.renew_status_lists.call()
        work(NOW + timedelta(hours=hours))
        assert (StatusList.objects.get().token != first.token) is is_renewed
    assert read_jwt(StatusList.objects.get().token)[1]["validUntil"] == "2027-07-28T15:00:08Z"


def test_a_credential_never_goes_on_a_list_that_is_out_of_date(world: World) -> None:
    world.issue()
    signed = [StatusList.objects.get().token]
    for later in (timedelta(hours=22), timedelta(days=9)):
        with clock.stopped_at(NOW + later), transaction.atomic():
            Signer.at(world.host.pk, NOW + later).reserve()
        signed.append(StatusList.objects.get().token)
    assert (signed[0] == signed[1], read_jwt(signed[2])[1]["validUntil"]) == (True, "2027-08-05T15:00:07Z")


def test_the_hourly_look_is_registered_with_the_worker() -> None:
    assert [
        entry.seconds for entry in jobs.SCHEDULE if entry.task.module_path == tasks.renew_status_lists.module_path
    ] == [3600]


# Where --------------------------------------------------------------------------------------------------------------


def test_the_web_process_cannot_sign(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signer, "settings", lambda: replace(settings(), role="web"))
    with pytest.raises(Unavailable) as refusal:
        Signer.at(world.host.pk, NOW)
    assert [reason.code for reason in refusal.value.reasons] == ["not-the-signer"]
    assert not folder(world).exists()


def test_what_is_asked_of_a_web_process_waits_for_a_worker(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.request()
    with monkeypatch.context() as patch, clock.stopped_at(NOW):
        patch.setattr(signer, "settings", lambda: replace(settings(), role="web"))
        jobs.drain()
    assert set(Credential.objects.values_list("state", flat=True)) == {"requested"}
    Job.objects.update(error="")
    work(NOW + timedelta(minutes=2))
    assert set(Credential.objects.values_list("state", flat=True)) == {"issued"}


@pytest.mark.parametrize("door", ["vsm.web", "vsm.api"])
def test_no_road_of_imports_leads_from_a_door_to_private_keys(door: str) -> None:
    graph = grimp.build_graph("vsm")
    assert "vsm.kit.key_store" in graph.modules
    assert graph.find_shortest_chains(door, "vsm.kit.key_store") == set()


def test_a_running_web_process_has_not_loaded_the_code_that_opens_keys(tmp_path: Path) -> None:
    program = (
        "import sys, vsm.app.wsgi; from django.urls import get_resolver; get_resolver().url_patterns; "
        "print([name in sys.modules for name in ('vsm.web.urls', 'vsm.exchange.credentials.actions', "
        "'vsm.exchange.credentials.signer', 'vsm.kit.key_store')])"
    )
    environment = {**os.environ, "VSM_ROLE": "web", "VSM_DATA": str(tmp_path), "PYTHONPATH": str(ROOT / "src")}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert (ran.stdout.strip(), ran.returncode) == ("[True, True, False, False]", 0), ran.stderr


def test_keys_and_passphrase_are_for_the_worker_s_account_alone(world: World) -> None:
    world.issue()
    keys = settings().data / "keys"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (keys, keys / "passphrase", folder(world))}
    assert modes == {"keys": 0o700, "passphrase": 0o600, str(world.host.pk): 0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder(world).iterdir()} == {0o600}


def test_a_configured_passphrase_wins(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configured = replace(settings(), data=tmp_path, key_passphrase="a sentence that only the operator knows")
    monkeypatch.setattr(signer, "settings", lambda: configured)
    world.issue()
    assert not (tmp_path / "keys" / "passphrase").exists()
    signer._UNLOCKED.clear()
    monkeypatch.setattr(signer, "settings", lambda: replace(configured, key_passphrase="another sentence altogether"))
    with pytest.raises(Unavailable) as refusal:
        Signer.at(world.host.pk, NOW)
    assert [reason.code for reason in refusal.value.reasons] == ["passphrase"]


def test_a_key_is_unlocked_once_for_many_credentials(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.issue()
    monkeypatch.setattr(signer.KeyStore, "_unlocked", lambda *_: pytest.fail("unlocked again"))
    actions.revoke(world.credential(), by=world.ines, now=NOW, because="Misspelt name.")
    world.request()
    work()
    assert world.credential().state == "issued"
