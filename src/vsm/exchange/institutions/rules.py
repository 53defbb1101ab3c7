"""What an organisation's identifiers must look like."""

import re
from collections.abc import Iterator
from typing import Any

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

SCHAC = re.compile(r"^(?=.{4,120}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$")
ROR = re.compile(r"^https://ror\.org/0[a-hj-km-np-tv-z0-9]{6}\d{2}$")


def teaches(organisation: Any) -> bool:
    """Whether it is a university or a network of them. A company has work to offer: of courses, terms and students it has none."""
    return bool(organisation.kind != "host")


def identifier_problems(*, schac: str, ror: str, country: str) -> Iterator[Reason]:
    """SCHAC home organisation: a domain name (RFC 1274, SCHAC 1.5). ROR: its full address. Country: ISO 3166-1 alpha-2."""
    if not SCHAC.match(schac):
        yield Reason("schac", N_("A SCHAC code is the institution's domain in small letters, for example “uni.example.edu”."), {}, "schac")
    if ror and not ROR.match(ror):
        yield Reason("ror", N_("A ROR identifier looks like https://ror.org/02mhbdp94."), {}, "ror")
    if not re.fullmatch(r"[A-Z]{2}", country):
        yield Reason("country", N_("Write the country as two capital letters (ISO 3166-1), for example PE."), {}, "country")
