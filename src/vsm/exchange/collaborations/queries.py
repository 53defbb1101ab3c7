"""What doors and higher slices read about collaborations: wishes and fairs, exchanges and what happens in them."""

from vsm.exchange.collaborations import exchange_queries, wish_queries
from vsm.exchange.collaborations.exchange_queries import (
    EXCHANGE,
    asks_check_in,
    exchange_title,
    named_among,
    own_participations,
    shown_name,
    signing_sides,
    watched,
)
from vsm.exchange.collaborations.wish_queries import PARTNER_WISH, matches_of, title_of

__all__ = [
    "EXCHANGE",
    "PARTNER_WISH",
    "asks_check_in",
    "exchange_queries",
    "exchange_title",
    "matches_of",
    "named_among",
    "own_participations",
    "shown_name",
    "signing_sides",
    "title_of",
    "watched",
    "wish_queries",
]
