"""The public addresses of an issuer: they stand inside signed credentials, so they never change their form."""

from uuid import UUID, uuid5


def issuer(base: str, organisation_id: UUID) -> str:
    """Who issues. The same address with `jwks.json` or `did.json` behind it gives the keys."""
    return f"{base}/issuers/{organisation_id}/"


def key(base: str, organisation_id: UUID, kid: str) -> str:
    """The address of one public key; it ends in the key's thumbprint (RFC 7638)."""
    return f"{base}/issuers/{organisation_id}/keys/{kid}"


def status_list(base: str, organisation_id: UUID, number: int) -> str:
    return f"{base}/status-lists/{organisation_id}/{number}/"


def offering(base: str, offering_id: str, language: str) -> str:
    """The course as an achievement; each language edition has a name of its own."""
    return f"{base}/offerings/{offering_id}/#{language}"


def award(source_noun: str, source_id: UUID, part: str) -> str:
    """An achievement that has no public page: the same name each time, so that nothing else can take it."""
    return f"urn:uuid:{uuid5(source_id, f'{source_noun}#{part}')}"


def transcript(base: str, transcript_id: UUID, part: str) -> str:
    return f"{base}/transcripts/{transcript_id}/#{part}"
