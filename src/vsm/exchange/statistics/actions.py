"""Giving and withdrawing the consent to pool an institution's counts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.rules import teaches
from vsm.exchange.statistics.models import PoolingConsent, ToldYear
from vsm.exchange.statistics.rules import Telling
from vsm.exchange.statistics.states import CONSENT_STEPS
from vsm.kit.actions import Ask, action
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

AGREES = Ask(
    _("Our institution agrees"),
    _("Numbers alone leave: never a name, never a count under ten, and nothing while fewer than three institutions take part. You can withdraw this at any time: then nothing more of yours is counted. What was told of a year stays, for the same count without you would tell yours."),
)

WITHDRAWING = Ask(
    _("Why? (shown in the history)"), _("Nothing more of your institution is counted. What was told of a year stays, for the same count without it would tell its own."), kind="long_text", limit=2000,
)  # fmt: skip


def _agreed(agrees: bool) -> None:
    if not agrees:
        raise Invalid(Reason("not-agreed", N_("Nothing is pooled without your word. Tick the box, or leave this page."), {}, "agrees"))


@action("pool_counts", on=Organisation, label=_("Pool our counts"), allow=("coordinator@id", "registrar@id"), when=teaches)
def give(organisation: Organisation, *, by: Actor, now: datetime, agrees: Annotated[bool, AGREES] = False) -> PoolingConsent:
    """Let the records of this institution's students be counted in the pooled series of the Observatory, from its next vintage on."""
    _agreed(agrees)
    if PoolingConsent.objects.filter(organisation=organisation).exists():
        raise Refused(Reason("consent-there", N_("Your institution has already said something about this. Change it under “Consents to pool counts”.")))
    consent = PoolingConsent(organisation=organisation, given_at=now)
    consent.save()
    emit("pooling.given", organisation_id=str(organisation.pk))
    return consent


@action("give_again", on=PoolingConsent, label=_("Pool our counts again"), allow=("coordinator@organisation", "registrar@organisation"), step=CONSENT_STEPS["give_again"])
def give_again(consent: PoolingConsent, *, by: Actor, now: datetime, agrees: Annotated[bool, AGREES] = False) -> PoolingConsent:
    """Take part again, from the next vintage on."""
    _agreed(agrees)
    consent.given_at, consent.withdrawn_at, consent.because = now, None, ""
    emit("pooling.given", organisation_id=str(consent.organisation_id))
    return consent


@action("withdraw", on=PoolingConsent, label=_("Withdraw"), allow=("coordinator@organisation", "registrar@organisation"), step=CONSENT_STEPS["withdraw"], tone="warning")
def withdraw(consent: PoolingConsent, *, by: Actor, now: datetime, because: Annotated[str, WITHDRAWING] = "") -> PoolingConsent:
    """No longer take part. Nothing of this institution is counted any more, and it is in no year that is told for the first time
    from now on. What was told of a year stays as it is: whoever subtracted a count without this institution would have its own."""
    consent.withdrawn_at, consent.because = now, because.strip()
    emit("pooling.withdrawn", organisation_id=str(consent.organisation_id))
    return consent


def remember(tellings: Mapping[tuple[str, int], Telling], *, now: datetime) -> None:
    """Keep what is about to be told, by family and year. Before it is told: a worker who is killed in between has then bound
    itself to what nobody read, and not told what nobody remembers."""
    with transaction.atomic():
        for (family, year), telling in tellings.items():
            cells = [[*key, count] for key, count in sorted(telling.told.items())]
            ToldYear.objects.update_or_create(family=family, year=year, defaults={"homes": sorted(telling.homes), "cells": cells, "told_at": now})
