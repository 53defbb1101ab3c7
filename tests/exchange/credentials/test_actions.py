"""Requesting, revoking and sharing: who may, from which state, with which refusals; each once."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext

from tests.exchange.credentials import given
from tests.exchange.credentials.given import NOW, World, work
from vsm.exchange.credentials import actions
from vsm.exchange.credentials.models import Credential, Share
from vsm.exchange.credentials.queries import CREDENTIAL
from vsm.exchange.credentials.states import STEPS, TRANSCRIPT_STEPS, State
from vsm.exchange.recognition.models import Result, Transcript
from vsm.kit import audit
from vsm.kit.actions import TABLE, available
from vsm.kit.actors import ANONYMOUS, SYSTEM, Actor
from vsm.kit.errors import Invalid, NotAllowed, NotFound, Refused
from vsm.kit.models import Job

pytestmark = pytest.mark.django_db


def codes(refusal: Refused) -> list[str]:
    return [reason.code for reason in refusal.reasons]


def test_each_passed_course_gets_one_credential_and_one_job(world: World) -> None:
    world.request()
    made = Credential.objects.order_by("title").values_list("title", "state", "person__name", "organisation__schac")
    assert list(made) == [
        ("Estadística", "requested", "Ana Ñahui", "mapocho.example"),
        ("Historia de Chile", "requested", "Ana Ñahui", "mapocho.example"),
    ]
    assert Job.objects.filter(path__endswith="sign_credential").count() == 2


def test_requesting_again_keeps_what_is_there(world: World) -> None:
    before = {credential.pk for credential in world.request()}
    work()
    assert world.request() == []
    assert set(Credential.objects.values_list("pk", flat=True)) == before


def test_the_same_key_gives_the_same_answer_once(world: World) -> None:
    by = world.ines.delivering(key="once")
    first = actions.issue_credentials(world.transcript, by=by, now=NOW)
    second = actions.issue_credentials(world.transcript, by=by, now=NOW)
    assert (first, Credential.objects.count()) == (second, 2)


def test_a_transcript_out_of_date_and_altered_is_refused_with_all_reasons(world: World) -> None:
    content = world.transcript.content
    content["components"][0]["grade"] = "7.0"
    Transcript.objects.filter(pk=world.transcript.pk).update(content=content, outdated_since=NOW)
    with pytest.raises(Refused) as refusal:
        world.request()
    assert codes(refusal.value) == ["transcript-altered", "transcript-outdated", "result-differs"]
    assert Credential.objects.count() == 0


def test_a_grade_changed_behind_the_program_s_back_is_noticed(world: World) -> None:
    Result.objects.filter(enrolment=world.enrolments["MAT-201"]).update(grade="7.0")
    with pytest.raises(Refused) as refusal:
        world.request()
    assert codes(refusal.value) == ["result-differs"]


def test_a_transcript_without_a_passed_course_is_refused(db: None) -> None:
    with pytest.raises(Refused) as refusal:
        given.world({"MAT-201": "3.9"}).request()
    assert codes(refusal.value) == ["nothing-passed"]


def test_a_replaced_transcript_certifies_nothing(world: World) -> None:
    Transcript.objects.filter(pk=world.transcript.pk).update(state="superseded")
    with pytest.raises(Refused) as refusal:
        world.request()
    assert codes(refusal.value) == ["state"]


def test_a_new_edition_revokes_the_credential_of_the_corrected_result_and_keeps_the_others(world: World) -> None:
    old, kept = world.issue(), world.credential("HIS-300")
    world.correct("MAT-201", "6.8")
    world.request(NOW + timedelta(days=1))
    work(NOW + timedelta(days=1))
    old.refresh_from_db()
    new = world.credential()
    with translation.override(old.person.language):
        because = gettext("The result was corrected: a new credential replaces this one.")
    assert (old.state, old.because) == ("revoked", because)
    assert (new.state, new.result.grade, world.credential("HIS-300").pk) == ("issued", "6.8", kept.pk)
    assert [told.who for told in audit.history([("credential", old.pk)]) if told.verb == "revoke"] == ["Ines"]


def test_who_asked_and_why_is_in_the_history_of_transcript_and_credential(world: World) -> None:
    actions.issue_credentials(world.transcript, by=world.ines, now=NOW, because="Graduation")
    credential = world.credential()
    told = audit.history([("transcript", world.transcript.pk), ("credential", credential.pk)])
    assert sorted((each.noun, each.verb, each.who, each.because) for each in told) == [
        ("credential", "issue_credentials", "Ines", "Graduation"),
        ("transcript", "issue_credentials", "Ines", "Graduation"),
    ]


# The table ----------------------------------------------------------------------------------------------------------

INPUTS = {
    "sign": {"token": "e30.e30.", "list_id": 1, "index": 1},
    "revoke": {"because": "Issued by mistake."},
    "share": {},
    "unshare": {},
}


@pytest.mark.parametrize("verb", STEPS)
@pytest.mark.parametrize("state", State)
def test_every_verb_is_possible_in_exactly_the_states_of_the_table(world: World, verb: str, state: State) -> None:
    credential = world.issue()
    Credential.objects.filter(pk=credential.pk).update(state=state)
    entry = TABLE["credential", verb]
    allowed = state in STEPS[verb].before
    if verb == "sign" and allowed:  # signed by the worker's own tests, with a real text
        return
    by = {"share": world.student, "unshare": world.student, "revoke": world.ines, "sign": SYSTEM}[verb]
    if not allowed:
        with pytest.raises(Refused) as refusal:
            entry.perform(credential, by=by, now=NOW, **INPUTS[verb])
        assert codes(refusal.value) == ["state"]
        return
    entry.perform(credential, by=by, now=NOW, **INPUTS[verb])
    credential.refresh_from_db()
    assert credential.state == (STEPS[verb].after or state)


# Rights -------------------------------------------------------------------------------------------------------------


def test_each_role_may_do_its_own_part_and_no_more(world: World) -> None:
    credential = world.issue()
    seen = {name: {each.verb for each in available(credential, world.actor(name))} for name in world.people}
    assert seen == {"ana": {"share"}, "ines": {"revoke"}, "carlos": set(), "rosa": set(), "dora": set()}
    may_issue = {
        name
        for name in world.people
        if "issue_credentials" in {each.verb for each in available(world.transcript, world.actor(name))}
    }
    assert may_issue == {"ines", "carlos"}
    may_rotate = {
        name for name in world.people if "rotate_key" in {e.verb for e in available(world.host, world.actor(name))}
    }
    assert may_rotate == {"ines"}


@pytest.mark.parametrize("name", ["ana", "rosa", "dora"])
def test_only_the_host_s_offices_issue(world: World, name: str) -> None:
    with pytest.raises(NotAllowed):
        actions.issue_credentials(world.transcript, by=world.actor(name), now=NOW)


@pytest.mark.parametrize("name", ["ana", "carlos", "rosa", "dora"])
def test_only_the_host_s_registrar_revokes(world: World, name: str) -> None:
    credential = world.issue()
    with pytest.raises(NotAllowed):
        actions.revoke(credential, by=world.actor(name), now=NOW, because="No.")


@pytest.mark.parametrize("name", ["ines", "carlos", "rosa", "dora"])
def test_nobody_but_the_student_shares(world: World, name: str) -> None:
    credential = world.issue()
    with pytest.raises(NotAllowed):
        actions.share(credential, by=world.actor(name), now=NOW)


@pytest.mark.parametrize("name", ["ana", "ines", "carlos", "rosa", "dora"])
def test_nobody_but_the_worker_signs(world: World, name: str) -> None:
    (first, *_others) = world.request()
    with pytest.raises(NotAllowed):
        actions.sign(first, by=world.actor(name), now=NOW, token="e30.e30.", list_id=1, index=1)


def test_the_owner_and_both_offices_see_a_credential_and_a_stranger_does_not(world: World) -> None:
    credential = world.issue()
    for name in ("ana", "ines", "carlos", "rosa"):
        assert CREDENTIAL.seen_by(world.actor(name), credential.pk) == credential
    for stranger in (world.actor("dora"), ANONYMOUS):
        with pytest.raises(NotFound):
            CREDENTIAL.seen_by(stranger, credential.pk)


# Revoking -----------------------------------------------------------------------------------------------------------


def test_a_revocation_needs_a_reason(world: World) -> None:
    with pytest.raises(Invalid) as refusal:
        actions.revoke(world.issue(), by=world.ines, now=NOW, because="  ")
    assert [(reason.code, reason.field) for reason in refusal.value.reasons] == [("because", "because")]


def test_a_request_can_be_taken_back_before_it_is_signed(world: World) -> None:
    world.request()
    actions.revoke(world.credential(), by=world.ines, now=NOW, because="Wrong student.")
    work()
    credential = world.credential()
    assert (credential.state, credential.token, world.credential("HIS-300").state) == ("revoked", "", "issued")


def test_after_a_revocation_a_new_credential_can_be_issued_for_the_same_course(world: World) -> None:
    old = actions.revoke(world.issue(), by=world.ines, now=NOW, because="Misspelt name.")
    world.request(NOW + timedelta(hours=1))
    work(NOW + timedelta(hours=1))
    new = world.credential()
    assert (new.pk == old.pk, new.state) == (False, "issued")
    assert (new.status_list_id, new.status_index) != (old.status_list_id, old.status_index)


# Sharing ------------------------------------------------------------------------------------------------------------


def test_sharing_twice_keeps_the_link_and_sharing_anew_makes_another(world: World) -> None:
    credential = world.issue()
    actions.share(credential, by=world.student, now=NOW)
    actions.share(credential, by=world.student, now=NOW)
    first = Share.objects.get()
    actions.unshare(credential, by=world.student, now=NOW + timedelta(hours=1))
    actions.share(credential, by=world.student, now=NOW + timedelta(hours=2))
    assert list(Share.objects.order_by("shared_at").values_list("ended_at", flat=True)) == [
        NOW + timedelta(hours=1),
        None,
    ]
    assert Share.objects.exclude(token=first.token).count() == 1


def test_a_link_cannot_be_guessed_and_stands_in_no_history(world: World) -> None:
    credential = actions.share(world.issue(), by=world.student, now=NOW)
    token = Share.objects.get().token
    told = str(audit.history([("credential", credential.pk)]))
    assert (len(token), token in told, "share" in told) == (43, False, True)


# Rotation -----------------------------------------------------------------------------------------------------------


def test_a_rotation_before_the_first_key_is_refused(world: World) -> None:
    with pytest.raises(Refused) as refusal:
        actions.rotate_key(world.host, by=world.ines, now=NOW)
    assert codes(refusal.value) == ["no-key"]


def test_a_leak_must_be_explained(world: World) -> None:
    world.issue()
    with pytest.raises(Invalid) as refusal:
        actions.rotate_key(world.host, by=world.ines, now=NOW, leaked=True)
    assert codes(refusal.value) == ["because"]


def test_the_operator_may_rotate_and_a_stranger_may_not(world: World) -> None:
    world.issue()
    operator = Actor(person_id=world.people["carlos"].pk, label="Operator", is_operator=True)
    assert actions.rotate_key(world.host, by=operator, now=NOW) == world.host
    with pytest.raises(NotAllowed):
        actions.rotate_key(world.host, by=world.actor("dora"), now=NOW)


def test_the_table_of_transcripts_names_the_one_state_that_certifies() -> None:
    assert {verb: set(step.before) for verb, step in TRANSCRIPT_STEPS.items()} == {"issue_credentials": {"issued"}}


def test_a_stale_copy_is_not_written(world: World) -> None:
    credential = world.issue()
    Credential.objects.filter(pk=credential.pk).update(version=F("version") + 1)
    with pytest.raises(Refused) as refusal:
        actions.revoke(credential, by=world.ines.delivering(expected=credential.version), now=NOW, because="Late.")
    assert codes(refusal.value) == ["stale-version"]
