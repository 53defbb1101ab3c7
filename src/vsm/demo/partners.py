"""The demo's agreements: most signed, some on their way, one over."""

from datetime import date, datetime, timedelta

from vsm.demo.cast import Cast
from vsm.exchange.agreements import actions as agreements
from vsm.exchange.agreements.actions import DraftedPromise
from vsm.exchange.agreements.models import Agreement
from vsm.exchange.agreements.queries import digest_of

SIGNED = (
    ("andina", "mapocho", 8), ("andina", "garoa", 6), ("andina", "cerros", 6), ("andina", "calzada", 5), ("andina", "ponts", 4),
    ("andina", "albufera", 6), ("andina", "ria", 4), ("andina", "lakes", 3), ("garoa", "mapocho", 8), ("garoa", "cerros", 5),
    ("garoa", "calzada", 5), ("garoa", "ponts", 4), ("garoa", "ria", 10), ("garoa", "lakes", 3), ("mapocho", "cerros", 6),
    ("mapocho", "calzada", 6), ("mapocho", "albufera", 5), ("mapocho", "lakes", 4), ("cerros", "calzada", 6), ("cerros", "albufera", 5),
    ("calzada", "albufera", 5), ("ponts", "ria", 6), ("ponts", "lakes", 4), ("bahia", "lakes", 6), ("bahia", "albufera", 3),
    ("ponts", "mapocho", 5), ("ponts", "albufera", 6), ("ria", "mapocho", 4),
)  # fmt: skip


def make_agreements(cast: Cast, now: datetime) -> None:
    """Signed ones since a year; a proposal, a draft and an ended one for the lists."""
    at = now - timedelta(days=390)
    for first, second, seats in SIGNED:
        _sign(cast, _draft(cast, first, second, seats, at, starts_on=at.date(), years=4), first, second, at)
    _propose(cast, _draft(cast, "andina", "bahia", 3, now - timedelta(days=9), starts_on=now.date(), years=3), "andina", now - timedelta(days=8))
    _draft(cast, "mapocho", "bahia", 2, now - timedelta(days=4), starts_on=now.date(), years=3)
    over = _draft(cast, "garoa", "bahia", 2, at, starts_on=at.date(), years=2)
    _sign(cast, over, "garoa", "bahia", at)
    agreements.end(over, by=cast.office("garoa", now), now=now - timedelta(days=100), because="The programme was replaced by a network call.")


def _draft(cast: Cast, first: str, second: str, seats: int, at: datetime, *, starts_on: date, years: int) -> Agreement:
    one, two = cast.organisations[first], cast.organisations[second]
    return agreements.draft_agreement(
        one, by=cast.office(first, at), now=at, code=f"{first.upper()}-{second.upper()}-{at.year}", partner=two.pk, category="course",
        promises=[DraftedPromise(host=one.pk, seats=seats), DraftedPromise(seats=seats)], starts_on=starts_on,
        ends_on=starts_on.replace(year=starts_on.year + years, day=1), levels=["bachelor", "master"],
    )  # fmt: skip


def _propose(cast: Cast, agreement: Agreement, proposer: str, at: datetime) -> Agreement:
    return agreements.propose(agreement, by=cast.office(proposer, at), now=at)


def _sign(cast: Cast, agreement: Agreement, first: str, second: str, at: datetime) -> None:
    proposed = _propose(cast, agreement, first, at)
    for side in (first, second):
        proposed = agreements.sign(proposed, by=cast.office(side, at), now=at, digest=digest_of(proposed))
