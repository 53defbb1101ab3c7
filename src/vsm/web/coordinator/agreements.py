"""An agreement's page: its text is the facts below; here stand who has signed it, places left, and the balance."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from vsm.exchange.agreements.models import Agreement
from vsm.exchange.agreements.queries import digest_of, places, terms_of
from vsm.exchange.agreements.rules import Balance, gaps
from vsm.exchange.allocation.models import Seat
from vsm.exchange.catalogue.queries import terms_of_seats
from vsm.exchange.institutions.models import Term
from vsm.exchange.institutions.queries import name_of
from vsm.kit.actors import Actor
from vsm.web.objects import EXTRAS, Extra


def context(agreement: Agreement, actor: Actor) -> dict[str, Any]:
    used = used_seats(agreement)
    balance = balance_of(agreement, used)
    first, second = name_of(agreement.first), name_of(agreement.second)
    return {
        "agreement": agreement,
        "signing": _signing(agreement),
        "voided": [signature for signature in agreement.signatures.all() if signature.voided_at],
        "places": _listing(place_rows(agreement, used)),
        "balance": balance,
        "balance_text": _balance_text(balance, first, second),
        "balance_rows": {"title": _("Students sent"), "rows": [{"label": first, "value": balance.first_sent}, {"label": second, "value": balance.second_sent}]},
    }  # fmt: skip


def used_seats(agreement: Agreement) -> Counter[tuple[Any, str]]:
    """Seats held under the agreement, by (host, term code): offered or accepted, of what it covers, while it is valid."""
    seats = Seat.objects.holding().filter(
        offering__starts_on__gte=agreement.starts_on, offering__starts_on__lte=agreement.ends_on,
        application__home__in=agreement.parties, offering__opportunity__organisation__in=agreement.parties,
    ).select_related("application", "offering__opportunity", "offering__term")  # fmt: skip
    terms, term_of = terms_of(agreement), terms_of_seats(party.pk for party in agreement.parties)
    counted: Counter[tuple[Any, str]] = Counter()
    for seat in seats:
        course = seat.offering.opportunity
        is_exchange = seat.application.home_id != course.organisation_id
        if is_exchange and not gaps(terms, category=course.category, level=course.level, isced_f=course.isced_f):
            counted[course.organisation_id, term_of(seat.offering)] += 1
    return counted


def balance_of(agreement: Agreement, used: Counter[tuple[Any, str]]) -> Balance:
    """Who has sent how many: a seat at one party was taken by a student of the other."""
    at = {party.pk: sum(seats for (host, _term), seats in used.items() if host == party.pk) for party in agreement.parties}
    return Balance(first_sent=at[agreement.second_id], second_sent=at[agreement.first_id])


def place_rows(agreement: Agreement, used: Counter[tuple[Any, str]]) -> list[dict[str, Any]]:
    """Promised, used and left by host and term. A promise for each term is told for every term of the host it falls in."""
    names = {str(party.pk): (party.pk, name_of(party)) for party in agreement.parties}
    terms = Term.objects.filter(organisation__in=agreement.parties, starts_on__lte=agreement.ends_on, ends_on__gte=agreement.starts_on)
    codes: dict[Any, list[str]] = {party.pk: [] for party in agreement.parties}
    for term in terms.order_by("starts_on", "code"):
        codes[term.organisation_id].append(term.code)
    rows = []
    promised = places(agreement)
    for promise in promised:
        host, name = names[promise.host]
        named = {other.term for other in promised if other.host == promise.host and other.term}
        for code in [promise.term] if promise.term else _each_term(codes[host], named, used, host):
            taken = used[host, code]
            rows.append({"host": name, "term": code, "promised": promise.seats, "used": taken, "left": max(0, promise.seats - taken)})
    return rows


def _each_term(codes: Iterable[str], named: set[str], used: Counter[tuple[Any, str]], host: Any) -> list[str]:
    """The terms that a promise "in each term" is for: not those promised by name; "" when the host has none entered."""
    with_seats = [code for (at, code) in used if at == host]
    found = list(dict.fromkeys(code for code in [*codes, *with_seats] if code not in named))
    return found or [""]


def _listing(rows: list[dict[str, Any]]) -> dict[str, Any]:
    labels = [_("Host"), _("Term"), _("Promised"), _("Used"), _("Still free")]
    shown = [[row["host"], row["term"] or _("Each term"), row["promised"], row["used"], row["left"]] for row in rows]
    cells = [[{"label": label, "value": value, "kind": "integer" if isinstance(value, int) else "text"} for label, value in zip(labels, line, strict=True)] for line in shown]
    return {
        "caption": _("Places"), "columns": [{"label": label} for label in labels], "rows": [{"url": "", "cells": line} for line in cells],
        "total": len(rows), "first": 1, "last": len(rows), "empty": {"text": _("No seats are promised yet.")},
    }  # fmt: skip


def _signing(agreement: Agreement) -> list[dict[str, Any]]:
    standing = digest_of(agreement)
    valid = {signature.organisation_id: signature for signature in agreement.signatures.all() if signature.voided_at is None}
    return [
        {"party": name_of(party), "signature": valid.get(party.pk), "fits": party.pk in valid and valid[party.pk].digest == standing}
        for party in agreement.parties
    ]


def _balance_text(balance: Balance, first: str, second: str) -> str:
    if not balance.owed:
        return _("In balance: both have sent the same number.")
    ahead, behind = (first, second) if balance.owed > 0 else (second, first)
    return _("%(ahead)s has sent %(count)s more than %(behind)s.") % {"ahead": ahead, "behind": behind, "count": abs(balance.owed)}


EXTRAS["agreement"] = Extra("coordinator/agreements/agreement.html", context)
