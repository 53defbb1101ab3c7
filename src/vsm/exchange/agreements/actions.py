"""What two institutions do with an agreement: draft, revise, propose, sign, end."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from vsm.exchange.agreements.models import Agreement, AgreementSignature, Promise
from vsm.exchange.agreements.queries import category_choices, digest_of, places, text_of, valid_signatures
from vsm.exchange.agreements.rules import LANGUAGES, Seats, canonical, problems, proposal_problems
from vsm.exchange.agreements.states import STEPS, State
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of, partner_choices
from vsm.exchange.institutions.rules import teaches
from vsm.exchange.people.queries import level_choices
from vsm.exchange.people.rules import CEFR
from vsm.kit.actions import NOTED, Ask, action, note
from vsm.kit.actors import Actor
from vsm.kit.errors import Conflict, Invalid, NotAllowed, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

PARTIES = ("coordinator@first", "coordinator@second")
NOTED[Agreement.noun, "promise"] = _("Seats promised")
NOTED[Agreement.noun, "void_signature"] = _("Signature void")


def _language_choices(_record: Any, _actor: Actor) -> list[tuple[str, str]]:
    return [(code, gettext(label)) for code, label in LANGUAGES.items()]


def _cefr_choices(_record: Any, _actor: Actor) -> list[tuple[str, str]]:
    return [(level, level) for level in CEFR]


def _party_choices(agreement: Agreement, _actor: Actor) -> list[tuple[str, str]]:
    return [(str(party.pk), name_of(party)) for party in agreement.parties]


def _side_choices(organisation: Organisation, _actor: Actor) -> list[tuple[str, str]]:
    """Who the partner is, the same form asks: its side has no name yet."""
    return [("", gettext("The partner")), (str(organisation.pk), name_of(organisation))]


Promised = Annotated[int, Field(ge=0), Ask(_("Seats"))]
Term = Annotated[str, Field(max_length=32), Ask(_("Term (empty: each term)"), limit=32)]


class SeatPromise(BaseModel):
    """Seats at one host, in one of its terms or in each."""

    host: Annotated[UUID, Ask(_("Host"), choices=_party_choices)]
    seats: Promised
    term: Term = ""


class DraftedPromise(BaseModel):
    """The same where the partner is being chosen: without a host it is the partner who receives."""

    host: Annotated[UUID | None, Ask(_("Host"), choices=_side_choices)] = None
    seats: Promised
    term: Term = ""


Category = Annotated[str, Ask(_("Category"), choices=category_choices)]
Levels = Annotated[list[str], Ask(_("Levels"), _("None chosen: all levels."), choices=level_choices)]
Fields = Annotated[list[str], Ask(_("Fields (ISCED-F)"), _("One code a line, two to four digits: 06 covers 0613. Empty: all fields."))]
Language = Annotated[str, Ask(_("Language"), _("The language that the least level below is for. Empty: whatever a course is taught in."), choices=_language_choices)]
MinimumCefr = Annotated[str, Ask(_("Least level of that language (CEFR)"), choices=_cefr_choices)]
StartsOn = Annotated[date, Ask(_("In force from"))]
EndsOn = Annotated[date, Ask(_("In force until"))]


@action("draft_agreement", on=Organisation, label=_("Draft an agreement"), allow=("coordinator@id",), when=teaches)
def draft_agreement(
    organisation: Organisation, *, by: Actor, now: datetime,
    code: Annotated[str, Ask(_("Code"), _("By which both institutions file it."), limit=64)],
    partner: Annotated[UUID, Ask(_("Partner"), choices=partner_choices)],
    starts_on: StartsOn,
    ends_on: EndsOn,
    promises: Annotated[list[DraftedPromise], Ask(_("Seats promised"), _("One line for each direction: the host is the institution that receives."))],
    category: Category = "course",
    levels: Levels = [],  # noqa: B006 -- never changed; pydantic copies it
    isced_f: Fields = [],  # noqa: B006 -- never changed; pydantic copies it
    language: Language = "",
    minimum_cefr: MinimumCefr = "",
    provisions: Annotated[str, Ask(_("Further provisions"), kind="long_text", limit=20_000)] = "",
) -> Agreement:  # fmt: skip
    """Write down what two institutions are about to promise. The partner sees the draft; nothing is in force before both sign."""
    told = [SeatPromise(host=p.host or partner, seats=p.seats, term=p.term) for p in promises]
    found = _problems((organisation.pk, partner), starts_on, ends_on, category, levels, isced_f, language, minimum_cefr, told)
    if not code.strip():
        found.append(Reason("code", N_("Give it a code."), {}, "code"))
    elif Agreement.objects.filter(code=code).exists():
        found.append(Reason("code-taken", N_("An agreement with the code “%(code)s” is already here. Choose another."), {"code": code}, "code"))
    other = Organisation.objects.filter(pk=partner).first()
    if other is None:
        found.append(Reason("partner", N_("There is no such institution here. Ask the operator to add it."), {}, "partner"))
    elif not teaches(other):
        text = N_("%(name)s takes students for work and has no courses: each placement has an agreement of its own. Choose a university or a network.")
        found.append(Reason("partner-teaches-not", text, {"name": name_of(other)}, "partner"))
    Invalid.because(found)
    agreement = Agreement(
        code=code, first=organisation, second_id=partner, category=category, levels=levels, isced_f=isced_f, language=language,
        minimum_cefr=minimum_cefr, starts_on=starts_on, ends_on=ends_on, provisions=provisions,
    )  # fmt: skip
    agreement.save()
    _promise(agreement, told)
    return agreement


@action("propose", on=Agreement, label=_("Propose for signature"), allow=PARTIES, step=STEPS["propose"], tone="primary")
def propose(agreement: Agreement, *, by: Actor, now: datetime) -> Agreement:
    """Ask both parties to sign the text as it stands. Both offices are told."""
    Refused.because(proposal_problems(ends_on=agreement.ends_on, promises=places(agreement), today=now.date()))
    emit("agreement.proposed", agreement_id=str(agreement.pk))
    return agreement


@action("revise", on=Agreement, label=_("Revise"), allow=PARTIES, step=STEPS["revise"])
def revise(
    agreement: Agreement, *, by: Actor, now: datetime,
    starts_on: StartsOn,
    ends_on: EndsOn,
    promises: Annotated[
        list[SeatPromise],
        Ask(
            _("Seats promised"), _("A line without seats is left out."),
            start=lambda a, _actor: [SeatPromise(host=p.host_id, term=p.term, seats=p.seats) for p in a.promises.all()],
        ),
    ],
    because: Annotated[str, Ask(_("What changes and why"), _("A signature already given is void after this, and both parties see that it is."), kind="long_text", limit=2000)],
    category: Category = "course",
    levels: Levels = [],  # noqa: B006 -- never changed; pydantic copies it
    isced_f: Fields = [],  # noqa: B006 -- never changed; pydantic copies it
    language: Language = "",
    minimum_cefr: MinimumCefr = "",
    provisions: Annotated[str, Ask(_("Further provisions"), kind="long_text", limit=20_000)] = "",
) -> Agreement:  # fmt: skip
    """Change the text. It becomes a draft again and every signature given so far is void: it was for another text."""
    Invalid.because(_problems((agreement.first_id, agreement.second_id), starts_on, ends_on, category, levels, isced_f, language, minimum_cefr, promises))
    seats_before = [(seats.host, seats.term, seats.seats) for seats in places(agreement)]
    agreement.category, agreement.levels, agreement.isced_f = category, levels, isced_f
    agreement.language, agreement.minimum_cefr, agreement.provisions = language, minimum_cefr, provisions
    agreement.starts_on, agreement.ends_on = starts_on, ends_on
    agreement.promises.all().delete()
    _promise(agreement, promises)
    seats_after = [(seats.host, seats.term, seats.seats) for seats in places(agreement)]
    if seats_before != seats_after:
        note(agreement, "promise", by=by, now=now, changes={"seats": [seats_before, seats_after]})
    _void_signatures(agreement, by=by, now=now)
    return agreement


@action("sign", on=Agreement, label=_("Sign"), allow=PARTIES, step=STEPS["sign"], tone="primary")
def sign(
    agreement: Agreement, *, by: Actor, now: datetime,
    digest: Annotated[
        str,
        Ask(
            _("Fingerprint of the text that you sign"),
            _("Filled in for the text on the agreement's page. If the text changes before you sign, it no longer fits and nothing is signed."),
            start=lambda a, _actor: digest_of(a), limit=64,
        ),
    ],
) -> Agreement:  # fmt: skip
    """Bind the institution to exactly this text. With the second party's signature to the same text it is in force."""
    if by.person_id is None:
        raise NotAllowed(Reason("no-person", N_("Only a person can sign.")))
    party = _party_of(agreement, by)
    standing = digest_of(agreement)
    if digest != standing:
        raise Conflict(Reason("text-changed", N_("The text has changed since you read it. Open the agreement again, compare, and sign the text that stands there now."), {}, "digest"))
    given = valid_signatures(agreement)
    if any(signature.person_id == by.person_id for signature in given):
        raise Refused(Reason("same-person", N_("You have signed for the other party. Somebody else must sign for this one.")))
    AgreementSignature(
        agreement=agreement, organisation=party, person_id=by.person_id, at=now, digest=standing, text=canonical(text_of(agreement)).decode()
    ).save()
    signed = {signature.organisation_id for signature in given if signature.digest == standing} | {party.pk}
    if signed == {agreement.first_id, agreement.second_id}:
        agreement.state = State.SIGNED
        emit("agreement.signed", agreement_id=str(agreement.pk))
    agreement.save()
    return agreement


@action("end", on=Agreement, label=_("End"), allow=PARTIES, step=STEPS["end"], tone="warning")
def end(
    agreement: Agreement, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why does it end?"), _("From now on nobody can apply under it. Students who already hold a seat keep it."), kind="long_text", limit=2000)],
) -> Agreement:  # fmt: skip
    """End it before its last day. Seats already given are kept; the text and its signatures stay as they were signed."""
    emit("agreement.ended", agreement_id=str(agreement.pk))
    return agreement


def _problems(
    parties: tuple[UUID, UUID], starts_on: date, ends_on: date, category: str, levels: list[str], isced_f: list[str],
    language: str, minimum_cefr: str, promises: list[SeatPromise],
) -> list[Reason]:  # fmt: skip
    seats = [Seats(str(p.host), p.term.strip(), p.seats) for p in promises]
    found = list(
        problems(
            parties=[str(party) for party in parties], starts_on=starts_on, ends_on=ends_on, levels=levels, isced_f=isced_f,
            language=language, minimum_cefr=minimum_cefr, promises=seats,
        )
    )  # fmt: skip
    known = [slug for slug, _label in category_choices()]
    if category not in known:
        found.append(Reason("category-unknown", N_("“%(category)s” is no category of virtual mobility. Known: %(known)s."), {"category": category, "known": ", ".join(known)}, "category"))
    return found


def _promise(agreement: Agreement, promises: list[SeatPromise]) -> None:
    Promise.objects.bulk_create(Promise(agreement=agreement, host_id=p.host, term=p.term.strip(), seats=p.seats) for p in promises)


def _void_signatures(agreement: Agreement, *, by: Actor, now: datetime) -> None:
    for signature in agreement.signatures.filter(voided_at=None).select_related("organisation", "person"):
        signature.voided_at = now
        signature.save()
        note(agreement, "void_signature", by=by, now=now, changes={"signature": [f"{name_of(signature.organisation)}: {signature.person.name}", ""]})
        emit("agreement.signature_voided", agreement_id=str(agreement.pk))


def _party_of(agreement: Agreement, by: Actor) -> Organisation:
    """The party that the actor can sign for: the first of theirs that has not signed."""
    mine = [party for party in agreement.parties if by.holds("coordinator", party.pk)]
    signed = {signature.organisation_id for signature in valid_signatures(agreement)}
    for party in mine:
        if party.pk not in signed:
            return party
    raise Refused(Reason("already-signed", N_("Your institution has signed this text. It waits for the other party.")))
