"""A new access token: its secret, or the address of the calendar that it opens, is told once and kept nowhere."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from vsm.config import settings
from vsm.exchange.people.models import Token
from vsm.kit.actors import Actor
from vsm.web.objects import ONCE, Extra


def told(token: Token, actor: Actor) -> dict[str, Any]:
    """Empty for a token whose secret was told already: a form that was sent twice."""
    if not token.secret:
        return {}
    is_calendar = token.purpose == "calendar"
    return {
        "secret_label": _("Address of your calendar") if is_calendar else _("Access token"),
        "secret": settings().base_url + reverse("calendar_feed", args=[token.secret]) if is_calendar else token.secret,
    }


ONCE["token"] = Extra("public/token.html", told)
