"""Many agreements amended in one transaction: versions, signatures, states and history, in few statements.

For acts that change thousands of agreements alike (an emergency). One by one, `actions.draft_version` and `sign` do the
same; here the texts come ready, and who had consented to which text is given.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from vsm.exchange.learning_agreements.models import LearningAgreement, LearningAgreementVersion, Signature
from vsm.exchange.learning_agreements.rules import Content, Party, as_json, digest_of_json
from vsm.exchange.learning_agreements.states import State
from vsm.kit import bulk
from vsm.kit.actions import NOTED, note
from vsm.kit.actors import Actor

NOTED[LearningAgreement.noun, "amend"] = _("Amended")


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """The next text of one agreement (`plain` is the same as JSON), and who has agreed to just this: side → (person, when)."""

    agreement: LearningAgreement
    content: Content
    plain: Mapping[str, Any]
    digest: str
    signed: Mapping[str, tuple[UUID, datetime]]
    because: str


def amendment(agreement: LearningAgreement, content: Content, *, signed: Mapping[str, tuple[UUID, datetime]], because: str) -> Amendment:
    """An amendment whose JSON and digest are made here."""
    plain = as_json(content)
    return Amendment(agreement=agreement, content=content, plain=plain, digest=digest_of_json(plain), signed=signed, because=because)


def locked(mobilities: Iterable[UUID]) -> dict[UUID, LearningAgreement]:
    """Mobility → its agreement with all versions, locked until the transaction ends (in one order, so without deadlock)."""
    found = LearningAgreement.objects.select_for_update(of=("self",)).filter(mobility_id__in=list(mobilities)).order_by("pk")
    return {each.mobility_id: each for each in found.prefetch_related("versions") if each.mobility_id}


def next_number(agreement: LearningAgreement) -> int:
    return max((version.number for version in agreement.versions.all()), default=0) + 1


def base_of(agreement: LearningAgreement) -> LearningAgreementVersion | None:
    """The text that an amendment starts from: what is in force, else what is being worked on."""
    version: LearningAgreementVersion | None = agreement.version_in_force or agreement.current_version
    return version


def amend(amendments: Sequence[Amendment], *, by: Actor, now: datetime) -> None:
    """Inside an act, on agreements that `locked` gave: write every next version, presented for the missing signatures.

    A version signed by all before stays in force until all sides have signed the new one, as always.
    """
    rows, signed, states = [], [], []
    one_side_each = _sides_before([each.agreement for each in amendments])
    for each in amendments:
        digest = each.digest
        rows.append((each.agreement.pk, each.content.number, each.plain, digest, by.person_id, now, each.because))
        held = one_side_each[each.agreement.pk]
        agreed = {side: who for side, who in each.signed.items() if held.get(who[0], side) == side}
        signed += [(each.agreement.pk, each.content.number, side, person, at, digest) for side, (person, at) in agreed.items()]
        missing = [party.value for party in Party if party.value not in agreed]
        agreement = each.agreement
        agreement.current, agreement.waiting_for = each.content.number, " ".join(missing)
        agreement.state = State.SIGNING if missing else State.SIGNED
        agreement.signed_version = agreement.signed_version if missing else each.content.number
        states.append(agreement)
        note(agreement, "amend", by=by, now=now, because=each.because)
    bulk.insert_rows(LearningAgreementVersion, ("agreement_id", "number", "content", "digest", "by_id", "at", "because"), rows)
    _sign(signed)
    _save(states, now)


def countersign(agreements: Sequence[LearningAgreement], sides: Mapping[UUID, str], *, by: Actor, now: datetime) -> list[LearningAgreement]:
    """Inside an act: sign each agreement's current text on the side named for it. Gives back those signed by all now.

    Who has signed an agreement for another side before is passed over: nobody signs for two.
    """
    if by.person_id is None:
        raise RuntimeError("a signature is a person's")
    held = _sides_before(agreements)
    signed, changed, complete = [], [], []
    for agreement in agreements:
        side, version = sides[agreement.pk], agreement.current_version
        waiting = agreement.waiting_for.split()
        if version is None or side not in waiting or held[agreement.pk].get(by.person_id, side) != side:
            continue
        signed.append((agreement.pk, version.number, side, by.person_id, now, version.digest))
        waiting.remove(side)
        agreement.waiting_for = " ".join(waiting)
        if not waiting:
            agreement.state, agreement.signed_version = State.SIGNED, version.number
            complete.append(agreement)
        changed.append(agreement)
        note(agreement, "sign", by=by, now=now)
    _sign(signed)
    _save(changed, now)
    return complete


def _sides_before(agreements: Iterable[LearningAgreement]) -> defaultdict[UUID, dict[UUID, str]]:
    """Agreement → person → the side that they have signed, under any version."""
    found: defaultdict[UUID, dict[UUID, str]] = defaultdict(dict)
    ids = [each.pk for each in agreements]
    for agreement, person, side in Signature.objects.filter(version__agreement__in=ids).values_list("version__agreement", "person", "party"):
        found[agreement][person] = side
    return found


def _sign(signed: Sequence[tuple[UUID, int, str, UUID, datetime, str]]) -> None:
    """The versions are in the database by now; their keys are asked for once."""
    ids = {row[0] for row in signed}
    keys = {(agreement, number): pk for pk, agreement, number in LearningAgreementVersion.objects.filter(agreement__in=ids).values_list("pk", "agreement", "number")}
    rows = [(keys[agreement, number], side, person, at, digest) for agreement, number, side, person, at, digest in signed]
    bulk.insert_rows(Signature, ("version_id", "party", "person_id", "at", "digest"), rows)


def _save(agreements: Sequence[LearningAgreement], now: datetime) -> None:
    """They are locked, so that nobody's change is overwritten; the record's version still counts up for those who look."""
    rows = [(a.pk, a.version + 1, now, a.current, a.waiting_for, a.state, a.signed_version) for a in agreements]
    bulk.update_rows(LearningAgreement, ("version", "updated_at", "current", "waiting_for", "state", "signed_version"), rows)
    for agreement in agreements:
        agreement.version += 1
