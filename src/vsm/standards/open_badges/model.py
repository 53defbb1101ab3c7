"""The parts of an achievement credential as frozen dataclasses. Names are ours, members of the standard in comments
only where they differ. Moments are aware and in whole seconds; empty text means absent."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Identifier:
    """A name in some register (`IdentifierEntry`); `type` is one of `IDENTIFIER_TYPES` or begins with `ext:`."""

    value: str
    type: str


@dataclass(frozen=True)
class Issuer:
    """Who issues (`Profile`). `id` is a URL or DID; the key history is published under it."""

    id: str
    name: str = ""
    url: str = ""
    description: str = ""
    email: str = ""
    identifiers: tuple[Identifier, ...] = ()


@dataclass(frozen=True)
class Alignment:
    """A node of an educational framework that the achievement meets, such as an ISCED-F field."""

    name: str
    url: str
    code: str = ""
    framework: str = ""
    description: str = ""
    type: str = ""


@dataclass(frozen=True)
class ResultDescription:
    """A result that may be given, and its scale. `allowed` runs from low to high; bounds and `required` are text."""

    id: str
    name: str
    type: str
    allowed: tuple[str, ...] = ()
    minimum: str = ""
    maximum: str = ""
    required: str = ""
    alignments: tuple[Alignment, ...] = ()


@dataclass(frozen=True)
class Result:
    """A result that was given; `description` is the id of a `ResultDescription` of the same achievement."""

    description: str = ""
    value: str = ""
    status: str = ""
    alignments: tuple[Alignment, ...] = ()


@dataclass(frozen=True)
class Edition:
    """The same achievement in another language (`Related`)."""

    id: str
    language: str = ""
    name: str = ""
    version: str = ""


@dataclass(frozen=True)
class Achievement:
    """What can be achieved. `criteria` is Markdown; `credits_available` counts in the system that `results` name."""

    id: str
    name: str
    description: str
    criteria: str = ""
    criteria_url: str = ""
    type: str = ""
    language: str = ""
    code: str = ""
    field_of_study: str = ""
    credits_available: float | None = None
    version: str = ""
    creator: Issuer | None = None
    identifiers: tuple[Identifier, ...] = ()
    alignments: tuple[Alignment, ...] = ()
    results: tuple[ResultDescription, ...] = ()
    editions: tuple[Edition, ...] = ()


@dataclass(frozen=True)
class Identity:
    """How the learner can be recognised (`IdentityObject`): plain text, or a salted hash that only those who already
    know the plain value can compare."""

    value: str
    type: str
    hashed: bool = False
    salt: str = ""

    @classmethod
    def concealed(cls, plain: str, type: str, *, salt: str = "") -> "Identity":  # noqa: A002 -- the standard's own word
        """`sha256$` and the hex digest of value and salt in UTF-8 (OB 3.0 §B, IdentityHash); the salt is fresh."""
        salt = salt or secrets.token_hex(16)
        return cls(_hash("sha256", plain, salt), type, True, salt)

    def matches(self, plain: str) -> bool:
        """Whether this stands for `plain` (OB 3.0 §9, Verify the Recipient Using an Identifier)."""
        if not self.hashed:
            return hmac.compare_digest(self.value.encode(), plain.encode())
        name = self.value.partition("$")[0]
        # MD5 is in the standard too; it is no longer evidence of anything, so it never matches.
        return name == "sha256" and hmac.compare_digest(
            self.value.lower().encode(), _hash(name, plain, self.salt).encode()
        )


@dataclass(frozen=True)
class Learner:
    """Who achieved it. `id` is a URI that stands for the person in this credential only."""

    id: str
    identities: tuple[Identity, ...] = ()


@dataclass(frozen=True)
class StatusEntry:
    """Where to look whether the credential still stands (`BitstringStatusListEntry`). `purpose` is `revocation` or
    `suspension`."""

    list_url: str
    index: int
    purpose: str = "revocation"


@dataclass(frozen=True)
class Evidence:
    """What the learner did, for people to read."""

    id: str = ""
    name: str = ""
    narrative: str = ""
    description: str = ""
    genre: str = ""


@dataclass(frozen=True)
class RelatedResource:
    """A document bound by its digest (`sha256-<base64>`, Subresource Integrity): the transcript of records."""

    id: str
    digest: str
    media_type: str = ""


@dataclass(frozen=True)
class Credential:
    """An `AchievementCredential`. `valid_from` is the moment of issue (a newer one replaces an older with the same id);
    `awarded` is the day of the award when that was earlier."""

    id: str
    issuer: Issuer
    learner: Learner
    achievement: Achievement
    valid_from: datetime
    valid_until: datetime | None = None
    awarded: datetime | None = None
    name: str = ""
    description: str = ""
    results: tuple[Result, ...] = ()
    credits_earned: float | None = None
    started: datetime | None = None
    ended: datetime | None = None
    term: str = ""
    narrative: str = ""
    status: tuple[StatusEntry, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    resources: tuple[RelatedResource, ...] = ()


def _hash(name: str, plain: str, salt: str) -> str:
    return f"{name}$" + hashlib.new(name, (plain + salt).encode()).hexdigest()
