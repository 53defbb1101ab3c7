"""The link of a safety check-in: whoever holds it may say how that student is, without signing in. It says nothing back."""

from functools import lru_cache
from uuid import UUID

from django.core import signing

SALT = "vsm.emergencies.check-in"
MOST_DAYS = 400


def token_of(case_id: UUID) -> str:
    """A signed, unguessable name for one case. It gives no access to anything else."""
    return _signer().sign_object(str(case_id))


def case_id_of(token: str) -> UUID | None:
    """The case that a token names; None when it is not ours, was altered, or is older than a stay can be."""
    try:
        return UUID(_signer().unsign_object(token, max_age=MOST_DAYS * 24 * 3600))
    except (signing.BadSignature, ValueError, TypeError):
        return None


@lru_cache(maxsize=1)
def _signer() -> signing.TimestampSigner:
    """Made once: twenty thousand letters each have a link."""
    return signing.TimestampSigner(salt=SALT)
