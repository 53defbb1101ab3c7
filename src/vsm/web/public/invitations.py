"""Accepting an invitation by its link: the one way into an account."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from vsm.exchange.people.actions import accept_by_link, why_not_accept
from vsm.exchange.people.models import Invitation, Person
from vsm.exchange.people.queries import token_hash
from vsm.kit import clock
from vsm.kit.errors import Refused
from vsm.kit.saying import say_reason, say_reasons
from vsm.web.reader import ZONE_COOKIE

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class AcceptForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), help_text=gettext_lazy("As you write it yourself."), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(label=gettext_lazy("Password"), help_text=gettext_lazy("At least 15 characters; a sentence that you remember works well."), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))


def accept(request: HttpRequest, token: str) -> HttpResponse:
    invitation = Invitation.objects.select_related("organisation").filter(token_hash=token_hash(token)).first()
    person = Person.objects.filter(email=invitation.email).first() if invitation else None
    known = bool(person and person.has_usable_password())
    is_asked = request.method != "POST"
    reasons = why_not_accept(invitation, clock.now()) if invitation and is_asked else []
    form = AcceptForm(request.POST or None)
    if known:
        form.fields["password"].help_text = _("Your account stays as it is; sign in with its password afterwards.")
        form.fields["password"].required = False
    if request.method == "POST" and form.is_valid():
        try:
            person = accept_by_link(
                token, now=clock.now(), name=form.cleaned_data["name"], password=form.cleaned_data["password"],
                language=_language(request), zone=_zone(request, invitation),
            )  # fmt: skip
        except Refused as refusal:
            _tell(form, refusal)
        else:
            if known:
                return redirect("account_login")
            login(request, person, backend=BACKEND)
            return redirect("dashboard")
    context = {"title": _("Accept the invitation"), "invitation": invitation, "form": None if is_asked and (reasons or invitation is None) else form, "reasons": say_reasons(reasons)}
    return render(request, "public/accept.html", context, status=422 if request.method == "POST" else 200)


def _tell(form: forms.Form, refusal: Refused) -> None:
    for reason in refusal.reasons:
        form.add_error(reason.field if reason.field in form.fields else None, say_reason(reason))


def _zone(request: HttpRequest, invitation: Invitation | None) -> str:
    """The browser's own; one that runs no script says none, and is then taken to be where the institution is."""
    return request.COOKIES.get(ZONE_COOKIE) or (invitation.organisation.zone if invitation else "UTC")


def _language(request: HttpRequest) -> Any:
    return request.LANGUAGE_CODE if request.LANGUAGE_CODE in dict(settings.LANGUAGES) else "es"


urlpatterns = [path("invitation/<str:token>/", accept, name="accept_invitation")]
