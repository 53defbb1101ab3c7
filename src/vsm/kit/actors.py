"""Who acts: a person in roles at organisations, the system itself, or nobody in particular."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID


@dataclass(frozen=True)
class Actor:
    """The subject of every action and of every question "may I see this?".

    `roles` maps a role to the organisations in which it is held. `key` is the idempotency key of this delivery (same
    key, same answer), `expected` the version of the record that the actor was looking at, `via` the door.
    """

    person_id: UUID | None
    label: str
    roles: Mapping[str, frozenset[UUID]] = field(default_factory=dict)
    is_operator: bool = False
    is_system: bool = False
    language: str = "en"
    zone: str = "UTC"
    via: str = "web"
    key: str = ""
    expected: int | None = None

    @property
    def is_anonymous(self) -> bool:
        return self.person_id is None and not self.is_system

    @property
    def person(self) -> UUID:
        """Who has signed in. Only behind a door that lets nobody else through."""
        if self.person_id is None:
            raise RuntimeError("nobody has signed in")
        return self.person_id

    def holds(self, role: str, organisation_id: UUID | None) -> bool:
        """Whether the role is held at just this organisation."""
        return organisation_id is not None and organisation_id in self.roles.get(role, frozenset())

    def organisations(self, *roles: str) -> frozenset[UUID]:
        """Every organisation where at least one of `roles` is held; all organisations of the actor without arguments."""
        wanted = roles or tuple(self.roles)
        return frozenset().union(*(self.roles.get(role, frozenset()) for role in wanted))

    def delivering(self, *, key: str = "", expected: int | None = None, via: str | None = None) -> "Actor":
        """The same actor with the envelope of one delivery."""
        return replace(self, key=key, expected=expected, via=via or self.via)


SYSTEM = Actor(person_id=None, label="system", is_system=True, via="worker")
ANONYMOUS = Actor(person_id=None, label="anonymous")
