"""For hosts: what taking students means, the application to be vetted, its confirmation, and signing by a mailed link."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone, translation
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of
from vsm.exchange.people.models import zones
from vsm.exchange.people.queries import token_hash
from vsm.exchange.placements.actions import hosts, links
from vsm.exchange.placements.models import Host, SigningLink, VettingCheck
from vsm.exchange.placements.paper import paper_of
from vsm.exchange.placements.queries.hosts import HOST, OUTCOMES, checklist, is_inside, vetters
from vsm.exchange.placements.queries.placements import changes_to_sign
from vsm.kit import clock, files
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Refused
from vsm.kit.localized import text_in
from vsm.kit.names import countries
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.kit.saying import say_reason, say_reasons
from vsm.rulebook.placements import criteria, vetting_months
from vsm.web import objects

SAME_SITE = {"autocomplete": "off"}


class ApplyForm(forms.Form):
    """What a company tells about itself. `also` is a trap for programs: people do not see it."""

    vetter = forms.ChoiceField(label=gettext_lazy("Who should vet you?"), help_text=gettext_lazy("A university that you know, or a network."))
    name = forms.CharField(label=gettext_lazy("Name of the organisation"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "organization"}))
    country = forms.ChoiceField(label=gettext_lazy("Country"))
    city = forms.CharField(label=gettext_lazy("City"), max_length=120, required=False)
    zone = forms.ChoiceField(label=gettext_lazy("Time zone"))
    registration = forms.CharField(label=gettext_lazy("Registration number"), help_text=gettext_lazy("In the register of companies or associations."), max_length=120, required=False)
    website = forms.CharField(label=gettext_lazy("Website"), max_length=200, required=False, widget=forms.URLInput(attrs={"autocomplete": "url"}))
    founded = forms.IntegerField(label=gettext_lazy("Since which year"), required=False)
    employees = forms.IntegerField(label=gettext_lazy("How many people work there"), required=False)
    purpose = forms.CharField(label=gettext_lazy("What the organisation does, and what students would do there"), max_length=4000, widget=forms.Textarea(attrs={"rows": 5}))
    contact_name = forms.CharField(label=gettext_lazy("Contact person"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    contact_email = forms.EmailField(label=gettext_lazy("Mail address of that person"), help_text=gettext_lazy("A link is mailed there: nothing happens before it is opened."), max_length=254)
    also = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        language = get_language() or "en"
        self.fields["vetter"].choices = [(str(each.pk), name_of(each)) for each in vetters()]  # type: ignore[attr-defined]  # -- a ChoiceField
        self.fields["country"].choices = [("", "—"), *countries(language)]  # type: ignore[attr-defined]  # -- a ChoiceField
        self.fields["zone"].choices = [("", "—"), *((zone, zone.replace("_", " ")) for zone in sorted(zones()))]  # type: ignore[attr-defined]  # -- a ChoiceField


class SignForm(forms.Form):
    """The text's fingerprint, who signs, and the code that was mailed."""

    digest = forms.CharField(widget=forms.HiddenInput(), max_length=64)
    name = forms.CharField(label=gettext_lazy("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    function = forms.CharField(label=gettext_lazy("Your function"), help_text=gettext_lazy("By which you may sign for the organisation."), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "organization-title"}))
    code = forms.CharField(label=gettext_lazy("Code from the mail"), max_length=12, widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}))


def landing(request: Request) -> HttpResponse:
    """What is asked of a host, step by step, and the way to apply."""
    language = get_language() or "en"
    points = [{"name": text_in(each.name, language), "ask": text_in(each.ask, language)} for each in criteria()]
    return render(request, "host/landing.html", {"title": _("Take students on, online"), "points": points, "months": vetting_months(clock.now().date())})


def apply(request: Request) -> HttpResponse:
    form = ApplyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data.pop("also"):
            return render(request, "host/sent.html", {"title": _("Look into your mail")})
        vetter = Organisation.objects.get(pk=form.cleaned_data.pop("vetter"))
        try:
            hosts.apply_as_host(vetter, by=SYSTEM, now=clock.now(), language=_language(request), **form.cleaned_data)
        except Refused as refusal:
            _tell(form, refusal)
        else:
            return render(request, "host/sent.html", {"title": _("Look into your mail"), "email": form.cleaned_data["contact_email"]})
    crumbs = [{"url": "/host/", "label": _("For hosts")}, {"url": "", "label": _("Apply")}]
    return render(request, "host/apply.html", {"title": _("Apply as a host"), "form": form, "crumbs": crumbs}, status=422 if request.method == "POST" else 200)


def confirm(request: Request, token: str) -> HttpResponse:
    """A button, not the visit itself: programs that look into mail open every link."""
    host = Host.objects.filter(confirm_hash=token_hash(token)).select_related("vetter").first()
    context: dict[str, Any] = {"title": _("Confirm your application"), "host": host}
    status = 200 if host else 404
    if request.method == "POST":
        try:
            context["host"], context["done"] = hosts.confirm_by_link(token, now=clock.now()), True
        except Refused as refusal:
            context["refused"], status = say_reason(refusal.reasons[0]), refusal.status
    return render(request, "host/confirm.html", context, status=status)


def sign(request: Request, token: str) -> HttpResponse:
    """Read the whole text, have a code mailed, sign. Whoever holds the link needs no account; the code shows that the mailbox is theirs."""
    link = links.link_of(token)
    if link is None:
        return render(request, "host/sign.html", {"title": _("Sign an agreement"), "unknown": True}, status=404)
    language = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) or link.language
    with translation.override(language), timezone.override(link.agreement.placement.host.zone):
        return _sign(request, link)


def _sign(request: Request, link: SigningLink) -> HttpResponse:
    now = clock.now()
    refused = say_reasons(links.why_not_open(link, now))
    version = link.agreement.version_in_force if link.state == "used" else link.agreement.current_version
    form = SignForm(initial={"digest": version.digest if version else "", "name": link.name})
    status = 200
    if request.method == "POST" and not refused:
        form, status = _act(request, link, form)
        if status == 200 and "sign" in request.POST:
            return redirect("sign_by_link", token=request.resolver_match.kwargs["token"])  # type: ignore[union-attr]  # -- a request that was routed here
        link.refresh_from_db()
    elif not refused:
        links.note_opened(link, by=links.whoever_holds(link), now=now)
    paper = paper_of(version) if version else None
    context = {
        "title": _("Read and sign"), "link": link, "paper": paper, "placement": link.agreement.placement, "form": form, "refused": refused if link.state != "used" else [],
        "is_signed": link.state == "used", "code_sent": bool(link.code_until and link.code_until > now), "code_until": link.code_until,
        "changes": say_reasons(changes_to_sign(link.agreement)),
    }  # fmt: skip
    return render(request, "host/sign.html", context, status=status)


def _act(request: Request, link: SigningLink, blank: SignForm) -> tuple[SignForm, int]:
    """Send a code, or sign. The form to show next, and the status."""
    now = clock.now()
    form = SignForm(request.POST) if "sign" in request.POST else blank
    try:
        if "sign" not in request.POST:
            links.send_code(link, by=links.whoever_holds(link), now=now)
        elif form.is_valid():
            links.sign_by_link(link, now=now, **form.cleaned_data)
        else:
            return form, 422
    except Refused as refusal:
        if form.is_bound:
            _tell(form, refusal)
        else:
            form = SignForm({**blank.initial})
            _tell(form, refusal)
        return form, refusal.status
    return form, 200


def evidence(request: Request, pk: UUID, check: int) -> HttpResponse:
    """A file of the checklist, for who vets and who is vetted."""
    host = HOST.seen_by(request.actor, pk)
    held = VettingCheck.objects.filter(host=host, pk=check).exclude(file_digest="").first()
    if held is None or not is_inside(host, request.actor):
        raise not_found()
    return file_response(held.file_digest, held.file_name, held.file_type)


def file_response(digest: str, name: str, media_type: str) -> HttpResponse:
    """Kept bytes as a download: never shown inside our own pages, so that a file cannot act as one of them."""
    try:
        data = files.get(digest)
    except FileNotFoundError:
        raise not_found() from None
    response = HttpResponse(data, content_type=media_type)
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{_quoted(name)}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def part(host: Host, actor: Actor) -> dict[str, Any]:
    """The checklist on the host's page, for those who work on it."""
    if not is_inside(host, actor):
        return {}
    language, today = get_language() or "en", clock.now().date()
    points = [
        {
            "name": text_in(point.criterion.name, language), "ask": text_in(point.criterion.ask, language),
            "state": {"label": _("Expired") if point.is_expired else str(OUTCOMES[point.outcome][0]), "tone": "bad" if point.is_expired else OUTCOMES[point.outcome][1]},
            "check": point.check, "file": f"/hosts/{host.pk}/evidence/{point.check.pk}/" if point.check and point.check.file_digest else "",
        }
        for point in checklist(host, today)
    ]  # fmt: skip
    done = sum(1 for point in checklist(host, today) if point.outcome == "met" and not point.is_expired)
    return {"points": points, "done": done, "all": len(points), "contact": f"{host.contact_name} · {host.contact_email}", "because": host.because}


def _tell(form: forms.Form, refusal: Refused) -> None:
    for reason in refusal.reasons:
        form.add_error(reason.field if reason.field in form.fields else None, say_reason(reason))


def _language(request: HttpRequest) -> Any:
    return request.LANGUAGE_CODE if request.LANGUAGE_CODE in dict(settings.LANGUAGES) else "es"


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")


objects.EXTRAS["host"] = objects.Extra("host/part.html", part)

urlpatterns = [
    path("host/", landing, name="host"),
    path("host/apply/", apply, name="apply_as_host"),
    path("host/confirm/<str:token>/", confirm, name="confirm_host"),
    path("host/sign/<str:token>/", sign, name="sign_by_link"),
    path("hosts/<uuid:pk>/evidence/<int:check>/", evidence, name="host_evidence"),
]
