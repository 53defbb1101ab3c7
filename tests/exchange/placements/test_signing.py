"""Three signatures under one text; the host's may come by a mailed link with a code."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from tests.exchange.placements.given import LAST, NOW, World, digest, fresh
from tests.exchange.placements.test_way import refused
from vsm.exchange.people.models import Invitation
from vsm.exchange.placements.actions import agreeing, links, running
from vsm.exchange.placements.models import AgreementVersion, PlacementAgreement, Signature, SigningLink
from vsm.exchange.placements.paper import pdf_of
from vsm.kit import audit, clock
from vsm.kit.actions import available
from vsm.kit.errors import Conflict, Refused
from vsm.kit.jobs import drain
from vsm.kit.models import AuditEvent, Message

pytestmark = pytest.mark.django_db
SIGNER: dict[str, Any] = {"name": "Elena Píriz", "email": "direccion@sur.example", "language": "en"}


def sent(world: World, agreement: PlacementAgreement, at: datetime = NOW) -> tuple[SigningLink, str]:
    """A link and the secret that was mailed with it."""
    with clock.stopped_at(at):
        link = links.send_link(fresh(agreement), by=world.by("bia"), now=at, **SIGNER)
        drain()
    body = Message.objects.filter(to=SIGNER["email"], body__contains="/host/sign/").order_by("-created_at")[0].body
    return link, body.split("/host/sign/")[1].split("/")[0]


def code(link: SigningLink, at: datetime = NOW) -> str:
    """Have a code sent, and read it from the mail."""
    with clock.stopped_at(at):
        links.send_code(fresh(link), by=links.whoever_holds(link), now=at)
        drain()
    subjects = Message.objects.filter(to=SIGNER["email"], subject__startswith="Your code").order_by("-created_at").values_list("subject", flat=True)
    return subjects[0].rpartition(" ")[2]


def sign(link: SigningLink, at: datetime = NOW, **given: str) -> SigningLink:
    link = links.SigningLink.objects.select_related("agreement__placement__host").get(pk=link.pk)
    return links.sign_by_link(link, now=at, **{"digest": digest(link.agreement), "name": "Elena Píriz", "function": "Director", **given})


def test_three_signatures_put_the_text_into_force_and_the_placement_follows_it(world: World) -> None:
    placement = world.signed()
    assert (placement.state, placement.tutor, placement.mentor_id) == ("ready", world.people["tito"], world.people["mario"].pk)
    assert (placement.agreement.state, placement.agreement.signed_version, placement.agreement.waiting_for) == ("signed", 2, "")
    assert set(Signature.objects.values_list("party", flat=True)) == {"student", "home", "host"}


def test_who_has_signed_is_not_asked_again(world: World) -> None:
    agreement = world.sign(world.presented(), "elena")
    asked = [name for name in ("ana", "bia", "elena") if "sign" in [entry.verb for entry in available(agreement, world.by(name))]]
    assert asked == ["ana", "bia"]


def test_a_signature_is_bound_to_the_text_that_was_read(world: World) -> None:
    agreement = world.presented()
    read = digest(agreement)
    agreeing.draft_version(fresh(agreement), by=world.by("elena"), now=NOW, **{**world.terms(), "tasks": "Other tasks."})
    agreeing.present(fresh(agreement), by=world.by("elena"), now=NOW)
    with pytest.raises(Conflict) as conflict:
        agreeing.sign(fresh(agreement), by=world.by("ana"), now=NOW, digest=read)
    assert [reason.params.get("after") for reason in conflict.value.reasons[1:]] == ["Other tasks."]
    assert not Signature.objects.exists()


def test_a_version_cannot_be_changed_and_a_forged_one_is_seen(world: World) -> None:
    version = world.presented().current_version
    with pytest.raises(RuntimeError, match="never changed"):
        version.save()  # type: ignore[union-attr]
    AgreementVersion.objects.filter(pk=version.pk).update(content={**version.content, "tasks": "forged"})  # type: ignore[union-attr]
    assert not fresh(version).is_intact


def test_an_incomplete_text_is_not_presented(world: World) -> None:
    agreement = world.drafted(insurance="", mentor_email="")
    assert refused(agreeing.present, agreement, by=world.by("bia"), now=NOW) == ["part-missing", "mentor-missing"]


def test_an_extension_is_a_new_version_and_the_old_one_holds_until_all_have_signed(world: World) -> None:
    placement = world.running()
    later = LAST + timedelta(days=21)
    agreement = world.presented(placement, ends_on=later, because="Three more weeks.")
    assert (fresh(placement).ends_on, agreement.signed_version) == (LAST, 2)
    for name in ("ana", "bia", "elena"):
        world.sign(agreement, name)
    assert (fresh(placement).ends_on, fresh(agreement).signed_version, fresh(placement).state) == (later, 3, "running")


def test_the_first_day_of_a_running_placement_stays(world: World) -> None:
    placement = world.running()
    assert refused(agreeing.draft_version, placement.agreement, by=world.by("bia"), now=NOW, **{**world.terms(), "starts_on": LAST}) == ["started"]


def test_a_mentor_without_an_account_is_invited_when_all_have_signed(world: World) -> None:
    world.signed(mentor_name="Inés", mentor_email="ines@sur.example")
    assert list(Invitation.objects.filter(email="ines@sur.example").values_list("role", flat=True)) == ["instructor"]


def test_giving_up_before_the_start_ends_the_agreement(world: World) -> None:
    placement = world.presented().placement
    running.cancel(placement, by=world.by("ana"), now=NOW, because="I found another.")
    assert (fresh(placement).state, fresh(placement.agreement).state) == ("cancelled", "cancelled")


# By link --------------------------------------------------------------------------------------------------------------


def test_the_host_signs_by_link_and_the_history_says_how(world: World) -> None:
    agreement = world.presented()
    link, _secret = sent(world, agreement)
    for name in ("ana", "bia"):
        world.sign(agreement, name)
    sign(link, code=code(link))
    signature = Signature.objects.get(party="host")
    assert (signature.person, signature.name, signature.email, signature.function, signature.link_id) == (None, "Elena Píriz", SIGNER["email"], "Director", link.pk)
    assert (fresh(agreement).state, fresh(agreement.placement).state) == ("signed", "ready")
    assert AuditEvent.objects.filter(noun="signing_link", verb="sign").count() == 1
    assert audit.verify() == []


@pytest.mark.parametrize("after", [timedelta(days=14), timedelta(days=15)])
def test_an_expired_link_signs_nothing(world: World, after: timedelta) -> None:
    link, _secret = sent(world, world.presented())
    digits = code(link, NOW + timedelta(days=13, hours=23, minutes=50))
    assert refused(sign, link, at=NOW + after, code=digits) == ["link-expired"]


def test_a_link_signs_once(world: World) -> None:
    link, _secret = sent(world, world.presented())
    digits = code(link)
    sign(link, code=digits)
    assert refused(sign, link, code=digits) == ["link-used"]
    assert Signature.objects.count() == 1


def test_a_link_is_for_one_text_and_ends_when_the_text_changes(world: World) -> None:
    agreement = world.presented()
    link, _secret = sent(world, agreement)
    agreeing.draft_version(fresh(agreement), by=world.by("bia"), now=NOW, **{**world.terms(), "tasks": "Other tasks."})
    assert refused(sign, link, code="000000") == ["link-withdrawn"]


def test_even_a_link_that_was_revived_does_not_sign_another_text(world: World) -> None:
    agreement = world.presented()
    link, _secret = sent(world, agreement)
    digits = code(link)
    agreeing.draft_version(fresh(agreement), by=world.by("bia"), now=NOW, **{**world.terms(), "tasks": "Other tasks."})
    agreeing.present(fresh(agreement), by=world.by("bia"), now=NOW)
    SigningLink.objects.filter(pk=link.pk).update(state="sent")
    assert refused(sign, link, code=digits)[0] == "text-changed"
    assert not Signature.objects.exists()


def test_a_newer_link_ends_the_older(world: World) -> None:
    agreement = world.presented()
    older, _secret = sent(world, agreement)
    sent(world, agreement, NOW + timedelta(hours=1))
    assert fresh(older).state == "withdrawn"


def test_a_wrong_code_is_counted_although_nothing_was_signed_and_five_end_it(world: World) -> None:
    link, _secret = sent(world, world.presented())
    right = code(link)
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    for tries in range(1, 6):
        assert refused(sign, link, code=wrong) == ["code-wrong"]
        assert fresh(link).tries == tries
    assert refused(sign, link, code=right) == ["code-missing"]
    sign(link, code=code(link, NOW + timedelta(minutes=1)), at=NOW + timedelta(minutes=2))
    assert fresh(link).state == "used"


def test_a_code_holds_for_twenty_minutes(world: World) -> None:
    link, _secret = sent(world, world.presented())
    assert refused(sign, link, at=NOW + timedelta(minutes=21), code=code(link)) == ["code-missing"]


def test_codes_are_not_sent_without_end(world: World) -> None:
    link, _secret = sent(world, world.presented())
    for number in range(5):
        code(link, NOW + timedelta(minutes=number))
    with pytest.raises(Refused, match="too-many-codes"):
        code(link, NOW + timedelta(minutes=6))


def test_a_code_is_for_its_own_link_only(world: World) -> None:
    first, _secret = sent(world, world.presented())
    digits = code(first)
    other = world.presented(world.placement("beto"))
    second, _secret = sent(world, other)
    code(second)
    SigningLink.objects.filter(pk=second.pk).update(code_hash=fresh(first).code_hash)
    assert refused(sign, second, code=digits) == ["code-wrong"]


def test_home_cannot_have_the_host_sign_at_an_address_of_its_own(world: World) -> None:
    agreement = world.presented()
    for email in (world.people["bia"].email, world.people["ana"].email):
        assert refused(links.send_link, fresh(agreement), by=world.by("bia"), now=NOW, name="X", email=email, language="es") == ["own-address"]


def test_neither_link_nor_code_is_stored(world: World) -> None:
    link, secret = sent(world, world.presented())
    digits = code(link)
    kept = str(SigningLink.objects.filter(pk=link.pk).values().get())
    assert secret not in kept
    assert digits not in kept


def test_the_letters_with_link_and_code_are_not_in_any_offices_outbox(world: World) -> None:
    link, _secret = sent(world, world.presented())
    code(link)
    for name in ("bia", "elena", "ana", "dora"):
        assert not Message.objects.visible_to(world.by(name)).filter(to=SIGNER["email"]).exists()


def test_the_page_of_the_link_reads_asks_for_the_code_and_signs_without_an_account(world: World) -> None:
    agreement = world.presented()
    _link, secret = sent(world, agreement)
    client, address = Client(), f"/host/sign/{secret}/"
    with clock.stopped_at(NOW):
        page = client.get(address).content.decode()
        assert "Clean the survey data." in page
        assert 'name="code"' not in page
        assert client.post(address).status_code == 200
        drain()
        digits = Message.objects.filter(subject__startswith="Your code").get().subject.rpartition(" ")[2]
        page = client.get(address).content.decode()
        fingerprint = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
        assert fingerprint
        given = {"sign": "1", "digest": fingerprint[1], "name": "Elena Píriz", "function": "Director", "code": digits}
        assert client.post(address, {**given, "function": ""}).status_code == 422
        assert client.post(address, given).status_code == 302
        assert "You have signed" in client.get(address).content.decode()
    assert Signature.objects.get().party == "host"
    assert SigningLink.objects.get().opened_at == NOW


def test_an_unknown_link_tells_nothing(world: World) -> None:
    answer = Client().get("/host/sign/nothing-of-ours/")
    assert (answer.status_code, "Ana" in answer.content.decode()) == (404, False)


def test_the_paper_is_a_tagged_pdf_in_each_language(world: World) -> None:
    agreement = world.presented()
    version = agreement.current_version
    assert version
    papers = {language: pdf_of(agreement, version, language) for language in ("es", "pt-br", "en", "fr")}
    assert all(paper.startswith(b"%PDF-") and b"/StructTreeRoot" in paper for paper in papers.values())
    assert len(set(papers.values())) == 4
