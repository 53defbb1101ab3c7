"""Changing one's own mail address: asked with the password, shown to be one's own by a mailed link, confirmed by a button."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client

from vsm.exchange.people.actions import change_address, change_of, confirm_by_link
from vsm.exchange.people.models import AddressChange, Person
from vsm.exchange.people.queries import actor_of
from vsm.kit import audit, clock
from vsm.kit.errors import Conflict, Invalid, Refused
from vsm.kit.jobs import drain
from vsm.kit.models import IdempotencyKey, Message

pytestmark = pytest.mark.django_db

PASSWORD, NEW = "a sentence that I remember", "nina@new.example"


def person(email: str = "nina@people.example", name: str = "Nina", language: str = "en") -> Person:
    made = Person(email=email, name=name, language=language)
    made.set_password(PASSWORD)
    made.save()
    return made


def ask(someone: Person, new_address: str = NEW, password: str = PASSWORD, **delivery: Any) -> str:
    """The secret of the link that was mailed; "" where none was."""
    now = clock.now()
    change_address(someone, by=actor_of(someone, now).delivering(**delivery), now=now, new_address=new_address, password=password)
    drain()
    letter = Message.objects.filter(kind="address_confirm").order_by("created_at").last()
    found = re.search(r"/address/([\w-]+)/", letter.body) if letter else None
    return found[1] if found else ""


def browser(someone: Person | None = None) -> Client:
    made = Client(headers={"Accept-Language": "en"})
    if someone:
        made.force_login(someone, backend=settings.AUTHENTICATION_BACKENDS[0])
    return made


def address_of(someone: Person) -> str:
    return str(Person.objects.get(pk=someone.pk).email)


def letters() -> dict[str, str]:
    return dict(Message.objects.filter(kind__startswith="address_").values_list("kind", "to"))


def signs_in(email: str) -> bool:
    return Client().post("/accounts/login/", {"login": email, "password": PASSWORD}).status_code == 302


def test_an_address_is_asked_for_on_the_profile_and_becomes_ones_own_by_the_button_behind_the_mailed_link() -> None:
    nina = person()
    EmailAddress.objects.create(user=nina, email=nina.email, verified=True, primary=True)
    asked = browser(nina).post(f"/people/{nina.pk}/change_address/", {"new_address": " Nina@New.example ", "password": PASSWORD})
    drain()
    assert (asked.status_code, letters()) == (302, {"address_confirm": NEW, "address_asked": "nina@people.example"})
    body = Message.objects.get(kind="address_confirm").body
    link = f"/address/{body.partition('/address/')[2].partition('/')[0]}/"
    shown = browser().get(link)
    assert (shown.status_code, "The account of Nina will have the mail address nina@new.example" in shown.content.decode(), address_of(nina)) == (200, True, "nina@people.example")
    done = browser().post(link)
    assert (done.status_code, "Your mail address is now nina@new.example" in done.content.decode(), address_of(nina)) == (200, True, NEW)
    assert (signs_in(NEW), signs_in("nina@people.example")) == (True, False)
    told = [(each.verb, each.who, each.via, each.changes) for each in audit.history([("person", nina.pk)])]
    assert told == [("confirm_address", "Nina", "link", {"email": ["nina@people.example", NEW]}), ("change_address", "Nina", "web", {})]


def test_the_letter_with_the_link_is_not_among_the_letters_of_whoever_asked() -> None:
    nina = person()
    secret = ask(nina)
    mine = Message.objects.visible_to(actor_of(nina, clock.now()))
    assert (bool(secret), [each.kind for each in mine], secret in "".join(each.body for each in mine)) == (True, ["address_asked"], False)


def test_an_address_of_somebody_else_is_told_to_them_alone_and_changes_nothing() -> None:
    nina, otto = person(), person("otto@people.example", "Otto", "fr")
    answers = [browser(nina).post(f"/people/{nina.pk}/change_address/", {"new_address": each, "password": PASSWORD}, follow=True) for each in ("free@people.example", otto.email)]
    free, taken = (re.sub(r'value="[A-Za-z0-9]{64}"', "", each.content.decode().partition("<main")[2]) for each in answers)
    drain()
    assert (free == taken, letters()) == (True, {"address_asked": nina.email, "address_taken": otto.email})
    letter = Message.objects.get(kind="address_taken")
    assert (letter.language, "/address/" in letter.body, "Nina" in letter.body) == ("fr", False, False)
    assert (address_of(nina), address_of(otto)) == ("nina@people.example", "otto@people.example")


def test_all_that_is_wrong_with_what_was_asked_is_said_at_once() -> None:
    nina = person()
    with pytest.raises(Invalid) as refused:
        ask(nina, "nina órga@x", "mistyped")
    assert [reason.code for reason in refused.value.reasons] == ["email", "password-wrong"]
    with pytest.raises(Invalid) as refused:
        ask(nina, " NINA@people.example")
    assert [reason.code for reason in refused.value.reasons] == ["same-address"]
    assert AddressChange.objects.count() == 0


def test_wrong_passwords_are_counted_and_a_right_one_does_not_begin_the_count_anew() -> None:
    nina, otto = person(), person("otto@people.example")
    now = clock.now().replace(minute=1, second=0)  # not across two stretches of time

    def codes(someone: Person, password: str, at: datetime) -> list[str]:
        try:
            change_address(someone, by=actor_of(someone, at), now=at, new_address=f"{someone.pk}@new.example", password=password)
        except Invalid as refused:
            return [reason.code for reason in refused.reasons]
        return []

    tried = [codes(nina, password, now) for password in ("a", "b", "c", "d", PASSWORD, "e", "f", PASSWORD)]
    assert tried == [["password-wrong"]] * 4 + [[], ["password-wrong"], ["too-many-tries"], ["too-many-tries"]]
    assert (codes(otto, PASSWORD, now), codes(nina, PASSWORD, now + timedelta(minutes=5))) == ([], [])


def test_whoever_has_no_password_is_asked_for_none() -> None:
    nina = person()
    nina.set_unusable_password()
    nina.save()
    assert browser().post(f"/address/{ask(nina, password='')}/").status_code == 200
    assert address_of(nina) == NEW


def test_a_link_works_once_and_for_a_day() -> None:
    nina = person()
    used = ask(nina)
    browser().post(f"/address/{used}/")
    assert (browser().get(f"/address/{used}/").status_code, browser().post(f"/address/{used}/").status_code) == (404, 409)
    nina.refresh_from_db()
    late = ask(nina, "late@people.example")
    AddressChange.objects.update(expires_at=clock.now() - timedelta(minutes=1))
    answers = browser().get(f"/address/{late}/"), browser().post(f"/address/{late}/")
    assert ["This link expired on" in each.content.decode() for each in answers] == [True, True]
    assert (answers[1].status_code, address_of(nina)) == (409, NEW)


def test_asking_anew_and_a_new_password_end_the_link() -> None:
    nina = person()
    first, second = ask(nina), ask(nina, "second@people.example")
    assert (change_of(first), browser().post(f"/address/{first}/").status_code) == (None, 409)
    nina.set_password("another sentence altogether")
    nina.save()
    assert (browser().post(f"/address/{second}/").status_code, address_of(nina)) == (409, "nina@people.example")


def test_whoever_is_signed_in_to_another_account_confirms_nothing() -> None:
    nina, otto = person(), person("otto@people.example", "Otto")
    link = f"/address/{ask(nina)}/"
    others = browser(otto)
    assert ["You are signed in to another account" in answer.content.decode() for answer in (others.get(link), others.post(link))] == [True, True]
    assert others.post(f"/people/{nina.pk}/change_address/", {"new_address": "otto@new.example", "password": PASSWORD}).status_code == 404
    assert (address_of(nina), browser(nina).post(link).status_code, address_of(nina)) == ("nina@people.example", 200, NEW)


def test_an_address_that_somebody_took_since_is_refused_when_it_is_confirmed() -> None:
    nina, otto = person(), person("otto@people.example", "Otto")
    one, other = ask(nina), ask(otto)
    confirm_by_link(one, by=actor_of(nina, clock.now()), now=clock.now())
    with pytest.raises(Conflict) as refused:
        confirm_by_link(other, by=actor_of(otto, clock.now()), now=clock.now())
    assert ([reason.code for reason in refused.value.reasons], address_of(otto)) == (["address-taken"], "otto@people.example")


def test_a_mistyped_link_says_so() -> None:
    with pytest.raises(Refused):
        confirm_by_link("mistyped", by=actor_of(person(), clock.now()), now=clock.now())
    answer = browser().get("/address/mistyped/")
    assert (answer.status_code, "<form" in answer.content.decode().partition("<main")[2].partition("</main")[0]) == (404, False)


def test_what_is_kept_of_a_delivery_does_not_hang_on_the_password() -> None:
    """A digest of it without salt would be quick to guess by."""
    nina = person()
    ask(nina, key="once")
    nina.refresh_from_db()
    ask(nina, password="mistyped", key="once")  # the same delivery to whoever looks at the digest: the first answer, no second effect
    assert (IdempotencyKey.objects.count(), AddressChange.objects.count()) == (1, 1)


def test_five_links_a_day_and_no_more_are_mailed_for_one_person() -> None:
    nina = person()
    for number in range(5):
        ask(nina, f"nina{number}@people.example")
    with pytest.raises(Refused) as refused:
        ask(nina)
    assert ([reason.code for reason in refused.value.reasons], Message.objects.filter(kind="address_confirm").count()) == (["too-many-links"], 5)
    with clock.stopped_at(clock.now() + timedelta(days=1, minutes=1)):
        assert ask(nina)


@pytest.mark.parametrize("language", ["es", "pt-br", "en", "fr"])
def test_the_letters_speak_the_language_of_the_person(language: str) -> None:
    nina = person(language=language)
    ask(nina)
    subjects = set(Message.objects.filter(kind__startswith="address_").values_list("language", "subject"))
    first = {"es": "Confirma tu nueva dirección", "pt-br": "Confirme seu novo endereço", "en": "Confirm your new mail address", "fr": "Confirmez votre nouvelle adresse"}[language]
    assert ({each for each, _subject in subjects}, any(subject.startswith(first) for _language, subject in subjects)) == ({language}, True)
