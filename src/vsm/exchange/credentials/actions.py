"""What happens to credentials: requested by an office, signed by the worker, revoked, shared by the student."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from secrets import token_urlsafe
from typing import Annotated
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from vsm.exchange.credentials import queries
from vsm.exchange.credentials.awards import Award
from vsm.exchange.credentials.badge import title_of
from vsm.exchange.credentials.models import Credential, Share, StatusList
from vsm.exchange.credentials.rules import Standing, certifiable, passed
from vsm.exchange.credentials.states import STEPS, TRANSCRIPT_STEPS, State
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.exchange.recognition.models import Result, Transcript
from vsm.exchange.recognition.states import ResultState
from vsm.exchange.recognition.transcript import Component, digest_of
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.signing import read_jwt
from vsm.kit.verdict import Reason

Because = Annotated[
    str, Ask(_("Why?"), _("The student and the other institution read this."), kind="long_text", limit=2000)
]


@action(
    "issue_credentials", on=Transcript, label=_("Issue credentials"), allow=("registrar@host", "coordinator@host"),
    step=TRANSCRIPT_STEPS["issue_credentials"], tone="primary", when=lambda held: held.outdated_since is None,
)  # fmt: skip
def issue_credentials(
    transcript: Transcript, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Remark (shown in the history)"), kind="long_text", limit=2000)] = "",
) -> Transcript:  # fmt: skip
    """Request a signed credential for each passed course of this transcript.

    Credentials in force are kept; those of an earlier edition, whose result was corrected since, are revoked. The
    worker signs; the student is told when it has.
    """
    Refused.because(_obstacles(transcript))
    _revoke_replaced(transcript, by=by, now=now)
    kept = Credential.objects.filter(transcript__agreement=transcript.agreement).exclude(state=State.REVOKED)
    certified = {str(pk) for pk in kept.values_list("result_id", flat=True)}
    for component in passed(transcript.content):
        if component["result_id"] not in certified:
            _request(transcript, component, by=by, now=now, because=because)
    return transcript


@action("sign", on=Credential, label=_("Sign"), allow=(), step=STEPS["sign"])
def sign(credential: Credential, *, by: Actor, now: datetime, token: str, list_id: int, index: int) -> Credential:
    """Keep the signed text and its place on the status list. The worker alone does this; the student is told."""
    header, _payload = read_jwt(token)
    credential.token, credential.digest = token, sha256(token.encode()).hexdigest()
    credential.kid = str(header["kid"]).rpartition("/")[2]
    credential.status_list, credential.status_index = StatusList.objects.get(pk=list_id), index
    credential.issued_at = now
    emit("credential.issued", credential_id=str(credential.pk))
    return credential


@action(
    "revoke", on=Credential, label=_("Revoke"), allow=("registrar@organisation",), step=STEPS["revoke"], tone="warning",
)  # fmt: skip
def revoke(credential: Credential, *, by: Actor, now: datetime, because: Because) -> Credential:
    """Withdraw it for good. Whoever verifies it after the worker has signed the status list anew is told so."""
    credential.because, credential.revoked_at = because.strip(), now
    if credential.was_issued:
        emit("credential.revoked", credential_id=str(credential.pk))
    return credential


@action(
    "share", on=Credential, label=_("Share by link"), allow=("self@person",), step=STEPS["share"], tone="primary",
    when=lambda credential: credential.open_share is None,
)  # fmt: skip
def share(credential: Credential, *, by: Actor, now: datetime) -> Credential:
    """Make a link by which whoever has it can see and verify this credential. You can end it at any time."""
    if credential.open_share is None:
        Share(credential=credential, token=token_urlsafe(32), shared_at=now).save()
        credential.save()
    return credential


@action(
    "unshare", on=Credential, label=_("End sharing"), allow=("self@person",), step=STEPS["unshare"],
    when=lambda credential: credential.open_share is not None,
)  # fmt: skip
def unshare(credential: Credential, *, by: Actor, now: datetime) -> Credential:
    """The link shows nothing any more. Files that were downloaded stay where they are."""
    if credential.shares.filter(ended_at=None).update(ended_at=now):
        credential.save()
    return credential


@action(
    "rotate_key", on=Organisation, label=_("Change the signing key"), allow=("registrar@id", "operator"),
    tone="warning",
)  # fmt: skip
def rotate_key(
    organisation: Organisation, *, by: Actor, now: datetime,
    leaked: Annotated[
        bool,
        Ask(
            _("The key in use has leaked"),
            _("Nothing that it signed verifies any more: revoke those credentials and issue them again."),
        ),
    ] = False,
    because: Annotated[str, Ask(_("Why? (shown in the history)"), kind="long_text", limit=2000)] = "",
) -> Organisation:  # fmt: skip
    """Have the worker make a new key and retire the one in use.

    What was signed before goes on verifying, unless the key leaked: then nothing that it signed does.
    """
    if not queries.published_keys(organisation.pk):
        text = N_("This institution has no signing key yet: the first is made when its first credential is signed.")
        raise Refused(Reason("no-key", text))
    if leaked and not because.strip():
        raise Invalid(Reason("because", N_("Say how you know that the key has leaked."), {}, "because"))
    emit(
        "issuer.rotation_requested",
        organisation_id=str(organisation.pk), requested_at=now.isoformat(), leaked="yes" if leaked else "",
    )  # fmt: skip
    return organisation


def certify(
    organisation: Organisation, *, by: Actor, now: datetime, person: Person, award: Award,
    home: Organisation | None = None, because: str = "",
) -> Credential:  # fmt: skip
    """Request, inside a running action, a signed credential for what was achieved outside a transcript line: a placement, a programme, a badge.

    Doing it again for the same person and source gives the credential in force, unless the award says something else
    now: then that one is revoked and a new one requested. The worker signs; the person is told when it has.
    """
    Invalid.unless(award.faults())
    source_noun, source_id = award.source
    content = award.as_json()
    held: Credential | None = Credential.objects.filter(person=person, source_noun=source_noun, source_id=source_id).exclude(state=State.REVOKED).first()
    if held and held.award == content:
        return held
    if held:
        _withdraw(held, by=by, now=now, because=told(person, N_("What it certifies was corrected: a new credential replaces this one.")))
    credential = Credential(
        person=person, organisation=organisation, home=home, title=award.title_in(person.language)[:255],
        award=content, source_noun=source_noun, source_id=source_id,
    )  # fmt: skip
    credential.save()
    note(credential, "certify", by=by, now=now, because=because)
    emit("credential.requested", credential_id=str(credential.pk))
    return credential


def withdraw_award(source_noun: str, source_id: UUID, *, by: Actor, now: datetime, because: str) -> int:
    """Revoke what was certified for this source, inside a running action. Returns how many credentials that were."""
    held = Credential.objects.filter(source_noun=source_noun, source_id=source_id).exclude(state=State.REVOKED)
    for credential in held:
        _withdraw(credential, by=by, now=now, because=because)
    return len(held)


def told(person: Person, text: str) -> str:
    """A reason given by the program itself, in the language of the person whom it concerns."""
    with translation.override(person.language):
        return gettext(text)


def still_certifiable(credential: Credential) -> bool:
    """Whether what it certifies still stands as it was when the credential was requested.

    An award that was withdrawn has taken its credential with it; a course is looked at again.
    """
    transcript = credential.transcript
    if transcript is None:
        return True
    return transcript.state in TRANSCRIPT_STEPS["issue_credentials"].before and not list(_obstacles(transcript))


def _obstacles(transcript: Transcript) -> tuple[Reason, ...]:
    ids = [component["result_id"] for component in passed(transcript.content)]
    results = {
        str(result.pk): Standing(
            grade=result.grade,
            credits=Decimal(result.credits),
            passed=result.passed,
            is_final=result.state == ResultState.FINAL,
        )
        for result in Result.objects.filter(pk__in=ids)
    }
    outdated = transcript.outdated_since
    return certifiable(
        transcript.content, results,
        is_intact=digest_of(transcript.content) == transcript.digest,
        outdated_on=outdated.date().isoformat() if outdated else "",
    ).reasons  # fmt: skip


def _request(transcript: Transcript, component: Component, *, by: Actor, now: datetime, because: str) -> None:
    title, _language = title_of(transcript.content, component)
    credential = Credential(
        person=transcript.student, organisation=transcript.host, home=transcript.home, transcript=transcript,
        result_id=component["result_id"], title=title[:255],
    )  # fmt: skip
    credential.save()
    note(credential, "issue_credentials", by=by, now=now, because=because)
    emit("credential.requested", credential_id=str(credential.pk))


def _revoke_replaced(transcript: Transcript, *, by: Actor, now: datetime) -> None:
    """A corrected result leaves two credentials for one course; the older one must not go on verifying."""
    because = told(transcript.student, N_("The result was corrected: a new credential replaces this one."))
    for credential in _replaced(transcript):
        _withdraw(credential, by=by, now=now, because=because)


def _withdraw(credential: Credential, *, by: Actor, now: datetime, because: str) -> None:
    held = credential.state
    credential.state, credential.because, credential.revoked_at = State.REVOKED, because, now
    credential.save()
    note(credential, "revoke", by=by, now=now, because=because, changes={"state": [held, "revoked"]})
    if credential.was_issued:
        emit("credential.revoked", credential_id=str(credential.pk))


def _replaced(transcript: Transcript) -> Iterator[Credential]:
    certified = {component["result_id"] for component in passed(transcript.content)}
    older = Credential.objects.filter(transcript__agreement=transcript.agreement).exclude(state=State.REVOKED)
    yield from (credential for credential in older if str(credential.result_id) not in certified)
