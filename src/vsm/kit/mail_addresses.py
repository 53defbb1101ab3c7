"""Whether something can be an address of mail; whether letters arrive there, only a letter shows."""

import re

LONGEST = 254
_ADDRESS = re.compile(r"[^@\s,;<>()]+@[^@\s,;<>().]+(\.[^@\s,;<>().]+)+")


def is_mail_address(text: str) -> bool:
    return len(text) <= LONGEST and _ADDRESS.fullmatch(text) is not None
