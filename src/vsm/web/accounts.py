"""allauth, isolated: accounts are made by invitation, never by strangers."""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from vsm.kit.errors import Unavailable
from vsm.kit.i18n import N_
from vsm.kit.records import not_found
from vsm.kit.verdict import Reason
from vsm.web.passwords import ALONE

log = logging.getLogger("vsm.web")


class InvitedOnly(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def format_email_subject(self, subject: str) -> str:
        return subject

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """At once and past the outbox, which operators read: the link in it opens an account. So a silent mail server is told here, in
        the same words for every address."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as fault:  # what smtplib raises, and the socket below it
            log.exception("a letter about an account did not leave: %s", template_prefix)
            raise Unavailable(Reason("mail-unreachable", N_("The letter could not be sent: our mail server does not take it at the moment. Nothing was changed."))) from fault

    def login(self, request: HttpRequest, user: Any) -> None:
        """What is said from here on is said to this person, whatever the browser asked for."""
        super().login(request, user)
        translation.activate(user.language)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """A short password is good beside a second factor only: where that was removed since, it opens nothing more."""
        person = super().authenticate(request, **credentials)
        if person is not None and len(credentials["password"]) < ALONE and not is_mfa_enabled(person):
            text = _("Your password has fewer than %(needed)s characters and no second factor stands beside it any more. Choose a new one: ask for it under “Forgot your password?”.")
            raise ValidationError(text % {"needed": ALONE})
        return person


def no_address_page(request: HttpRequest, **_rest: str) -> HttpResponse:
    """The address names the account and is what an invitation, a role or a class is given to. allauth's page would let anybody take
    an address without showing that letters to it reach them, and past the history."""
    raise not_found()


def shown_as(person: Any) -> str:
    return str(person.name)
