"""The account pages that allauth serves, as our readers meet them."""

import re
import socket
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.core import mail
from django.test import Client

from vsm.exchange.people.models import Person

pytestmark = pytest.mark.django_db

LONG, SHORT = "a sentence that I remember", "eight-ch"
FORMAL = re.compile(r"\b(?:usted|[Ss]us? (?:cuenta|contraseña|autenticación|códigos)|[Ii]ntroduzca|[Ee]scanee|[Vv]uelva|[Dd]esea|[Hh]a (?:olvidado|cerrado|iniciado)|[Oo]lvidó)\b")


def person(password: str = LONG, language: str = "es") -> Person:
    made = Person(email="nina@people.example", name="Nina", language=language)
    made.set_password(password)
    made.save()
    return made


def with_factors(someone: Person) -> Authenticator:
    """An application, recovery codes and a passkey."""
    TOTP.activate(someone, generate_totp_secret())
    RecoveryCodes.activate(someone)
    credential: dict[str, Any] = {"clientExtensionResults": {"credProps": {"rk": True}}}
    return Authenticator.objects.create(user=someone, type=Authenticator.Type.WEBAUTHN, data={"name": "Blue key", "credential": credential, "passwordless": True})


def signed_in(someone: Person, language: str, password: str = LONG) -> Client:
    """With a session that has just confirmed its password, as the pages of the second factor want it."""
    browser = Client(headers={"Accept-Language": language})
    browser.force_login(someone, backend=settings.AUTHENTICATION_BACKENDS[0])
    assert browser.post("/accounts/reauthenticate/", {"password": password}).status_code == 302
    return browser


@pytest.mark.parametrize("language", ["es", "pt-br", "en", "fr"])
def test_every_page_of_an_account_opens_and_speaks_spanish_as_the_house_does(language: str) -> None:
    nina = person(language=language)
    browser = signed_in(nina, language)
    told = {"2fa/webauthn/add/": browser.get("/accounts/2fa/webauthn/add/").content.decode()}  # before the key below, which no device made
    key = with_factors(nina)
    pages = [
        "reauthenticate/", "logout/", "password/change/", "password/reset/", "2fa/", "2fa/totp/deactivate/", "2fa/recovery-codes/",
        "2fa/recovery-codes/generate/", "2fa/webauthn/", f"2fa/webauthn/keys/{key.pk}/edit/", f"2fa/webauthn/keys/{key.pk}/remove/",
    ]  # fmt: skip
    told |= {page: browser.get(f"/accounts/{page}").content.decode() for page in pages}
    assert sorted(page for page, text in told.items() if "Blue key" in text) == ["2fa/webauthn/", f"2fa/webauthn/keys/{key.pk}/edit/"]
    assert {page: found[0] for page, text in told.items() if (found := FORMAL.search(text))} == {}
    assert [page for page, text in told.items() if language != "en" and re.search(r">\s*(?:Name|Passwordless)\s*<", text)] == []


def test_a_short_password_opens_nothing_once_its_second_factor_is_gone() -> None:
    nina = person(SHORT)
    with_factors(nina)
    attempt = {"login": nina.email, "password": SHORT}
    assert Client().post("/accounts/login/", attempt).headers["Location"] == "/accounts/2fa/authenticate/"
    Authenticator.objects.filter(user=nina).delete()
    answer = Client(headers={"Accept-Language": "en"}).post("/accounts/login/", attempt)
    assert (answer.status_code, "fewer than 15 characters" in answer.content.decode()) == (200, True)
    wrong = Client(headers={"Accept-Language": "en"}).post("/accounts/login/", {**attempt, "password": "mistyped"})
    assert "fewer than 15 characters" not in wrong.content.decode()


def test_whoever_signs_in_is_greeted_in_their_own_language() -> None:
    nina = person(language="fr")
    page = Client(headers={"Accept-Language": "es"}).post("/accounts/login/", {"login": nina.email, "password": LONG}, follow=True).content.decode()
    assert "Vous êtes connecté en tant que Nina." in page


def test_nobody_takes_an_address_that_was_not_shown_to_be_theirs() -> None:
    browser = signed_in(person(), "en")
    assert [browser.get("/accounts/email/").status_code, browser.post("/accounts/email/", {"email": "ana@people.example", "action_add": ""}).status_code] == [404, 404]
    assert "/accounts/email/" not in browser.get("/accounts/2fa/").content.decode()


@pytest.mark.parametrize(("address", "subject"), [("nina@people.example", "Elige una contraseña nueva para OpenVSM"), ("nobody@people.example", "No hay ninguna cuenta de OpenVSM con esta dirección")])
def test_the_letter_about_a_password_names_the_product_and_leads_to_no_signing_up(address: str, subject: str) -> None:
    person()
    Client(headers={"Accept-Language": "es"}).post("/accounts/password/reset/", {"email": address})
    [letter] = mail.outbox
    assert (letter.subject, "signup" in letter.body, "/accounts/password/reset/key/" in letter.body) == (subject, False, address.startswith("nina"))


def test_when_the_mail_server_is_silent_the_page_says_so_alike_for_every_address_and_the_log_why(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    person()
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # bound and not listening: whoever connects is refused
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", *unheard.getsockname()
        answers = [
            Client(headers={"Accept-Language": "es"}).post("/accounts/password/reset/", {"email": address})
            for address in ("nina@people.example", "nobody@people.example")
        ]
    assert [(answer.status_code, "El correo no se pudo enviar" in answer.content.decode()) for answer in answers] == [(503, True)] * 2
    assert ["ConnectionRefusedError" in caplog.text, "nina@" in caplog.text] == [True, False]
