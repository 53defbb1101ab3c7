"""What is done: hosts are vetted, vacancies filled, agreements signed, hours confirmed, concerns heard, certificates given."""

from vsm.exchange.placements.actions import (
    agreeing,
    certifying,
    duties,
    evaluating,
    hosts,
    hours,
    links,
    running,
    safeguarding,
    selecting,
    vacancies,
)

__all__ = [
    "agreeing", "certifying", "duties", "evaluating", "hosts", "hours", "links", "running", "safeguarding", "selecting", "vacancies",
]  # fmt: skip
