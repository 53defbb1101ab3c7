"""Who acts, who holds which role, and what doors read about people."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from vsm.exchange.people.models import Invitation, Membership, Person, StudentRecord, Token
from vsm.exchange.people.rules import LEVELS, ROLE_LABELS, Role
from vsm.kit.actions import GRANTEES
from vsm.kit.actors import Actor
from vsm.kit.names import language_name
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource
from vsm.kit.saying import labelled, say

GRANTEES |= {role.value: label for role, label in ROLE_LABELS.items()}


def languages_told(languages: Mapping[str, str]) -> list[str]:
    """Each language by its name, with its level."""
    return [language_level_told(each) for each in language_levels(languages)]


def level_choices(_record: Any = None, _actor: Actor | None = None) -> list[tuple[str, str]]:
    return [(code, say(word)) for code, word in LEVELS.items()]


def language_levels(languages: Mapping[str, str]) -> list[str]:
    """`en:B2`, `es:native`."""
    return [f"{code}:{level}" for code, level in languages.items()]


def language_level_told(known: str) -> str:
    code, _colon, level = known.partition(":")
    return labelled(language_name(code, get_language() or "en"), _now("Native speaker") if level == "native" else level)


def actor_of(person: Any, now: datetime) -> Actor:
    """The person with the roles held today."""
    roles: dict[str, set[UUID]] = defaultdict(set)
    today = now.date()
    # Asked at every request: a person has held few roles, and the shorter question is sooner put into SQL.
    for role, organisation_id, begins, ends in Membership.objects.filter(person_id=person.pk).values_list("role", "organisation_id", "starts_on", "ends_on"):
        if begins <= today and (ends is None or ends >= today):
            roles[role].add(organisation_id)
    return Actor(
        person_id=person.pk, label=person.name, roles={role: frozenset(ids) for role, ids in roles.items()},
        is_operator=person.is_operator, language=person.language, zone=person.zone,
    )  # fmt: skip


def token_hash(token: str) -> str:
    """Only this is stored; the token itself is shown once."""
    return hashlib.sha256(token.encode()).hexdigest()


def person_of_token(token: str, purpose: str, now: datetime) -> Person | None:
    found = Token.objects.select_related("person").filter(
        token_hash=token_hash(token), purpose=purpose, state="active", expires_at__gt=now, person__is_active=True
    )
    key = found.first()
    if key is None:
        return None
    if key.used_at is None or (now - key.used_at).total_seconds() > 3600:
        Token.objects.filter(pk=key.pk).update(used_at=now)
    person: Person = key.person
    return person


def holders(role: Role, organisation_id: UUID, now: datetime) -> list[Person]:
    """Everybody who holds this role there today, by name."""
    return list(
        Person.objects.filter(
            Q(memberships__ends_on=None) | Q(memberships__ends_on__gte=now.date()),
            memberships__role=role, memberships__organisation_id=organisation_id, memberships__starts_on__lte=now.date(), is_active=True,
        ).distinct()
    )  # fmt: skip


def role_choices(_actor: Actor) -> list[tuple[str, str]]:
    return [(role.value, say(label)) for role, label in ROLE_LABELS.items()]


def person_ref(person: Any) -> Ref:
    return Ref("person", person.pk, person.name)


PERSON = resource(
    Resource(
        "person", "people", Person, _("Person"), _("People"), lambda person: person.name,
        fields=(
            Shown("name", _("Name"), lambda p: p.name, listed=True, sort="folded"),
            Shown("email", _("Email"), lambda p: p.email, listed=True, sort="email"),
            Shown("language", _("Language"), lambda p: p.language, "language", listed=True),
            Shown("zone", _("Time zone"), lambda p: p.zone, "zone"),
            Shown("active", _("Active"), lambda p: p.is_active, "bool"),
        ),
        filters=(
            Filter("role", _("Role"), lambda found, value: found.filter(memberships__role=value).distinct(), choices=role_choices),
        ),
        order="name",
        sections=(Section(_("Roles"), "membership", lambda p: {"person": p}),),
    )
)  # fmt: skip

MEMBERSHIP = resource(
    Resource(
        "membership", "memberships", Membership, _("Role held"), _("Roles held"), lambda m: f"{m.person.name} · {say(ROLE_LABELS[Role(m.role)])}",
        fields=(
            Shown("person", _("Person"), lambda m: person_ref(m.person), "ref", listed=True, sort="person__folded"),
            Shown("role", _("Role"), lambda m: m.role, listed=True, sort="role", words=ROLE_LABELS),
            Shown("organisation", _("Organisation"), lambda m: Ref("organisation", m.organisation_id, str(m.organisation)), "ref", listed=True),
            Shown("starts_on", _("From"), lambda m: m.starts_on, "date", listed=True, sort="starts_on"),
            Shown("ends_on", _("Until"), lambda m: m.ends_on, "date", listed=True, sort="ends_on"),
        ),
        filters=(Filter("role", _("Role"), lambda found, value: found.filter(role=value), choices=role_choices),),
        order="-starts_on", related=("person", "organisation"),
    )
)  # fmt: skip

INVITATION_STATES = {"sent": (pgettext_lazy("invitation", "Sent"), "info"), "accepted": (pgettext_lazy("invitation", "Accepted"), "good"), "withdrawn": (pgettext_lazy("invitation", "Withdrawn"), "neutral")}

INVITATION = resource(
    Resource(
        "invitation", "invitations", Invitation, _("Invitation"), _("Invitations"), lambda i: i.email,
        fields=(
            Shown("email", _("Email"), lambda i: i.email, listed=True, sort="email"),
            Shown("role", _("Role"), lambda i: i.role, listed=True, sort="role", words=ROLE_LABELS),
            Shown("organisation", _("Organisation"), lambda i: Ref("organisation", i.organisation_id, str(i.organisation)), "ref", listed=True),
            Shown("state", _("State"), lambda i: i.state, "state", listed=True, sort="state"),
            Shown("expires_at", _("Expires"), lambda i: i.expires_at, "moment", listed=True, sort="expires_at"),
            Shown("accepted_at", _("Accepted"), lambda i: i.accepted_at, "moment"),
        ),
        related=("organisation",), states=INVITATION_STATES, starts=(("organisation", "invite"),),
    )
)  # fmt: skip

STUDENT = resource(
    Resource(
        "student", "students", StudentRecord, _("Student"), _("Students"), lambda s: s.person.name,
        fields=(
            Shown("person", _("Name"), lambda s: person_ref(s.person), "ref", listed=True, sort="person__folded"),
            Shown("student_number", _("Student number"), lambda s: s.student_number, listed=True, sort="student_number"),
            Shown("home", _("Home institution"), lambda s: Ref("organisation", s.home_id, str(s.home)), "ref"),
            Shown("programme", _("Programme"), lambda s: s.programme, listed=True, sort="programme"),
            Shown("level", _("Level"), lambda s: s.level, listed=True, sort="level", words=LEVELS),
            Shown("isced_f", _("Field (ISCED-F)"), lambda s: s.isced_f),
            Shown("credits_earned", _("Credits earned"), lambda s: s.credits_earned, "number", listed=True, sort="credits_earned"),
            Shown("credits_total", _("Credits of the degree"), lambda s: s.credits_total, "number"),
            Shown("average", _("Average grade"), lambda s: s.average),
            Shown("languages", _("Languages (CEFR)"), lambda s: language_levels(s.languages), "list", words=language_level_told),
            Shown("needs", _("Needs"), lambda s: s.needs, "long_text"),
        ),
        filters=(
            Filter("level", _("Level"), lambda found, value: found.filter(level=value), choices=lambda _actor: level_choices()),
        ),
        order="student_number", related=("person", "home"), starts=(("organisation", "register_student"),),
    )
)  # fmt: skip

TOKEN_PURPOSES = {"api": _("Programs, in your name"), "calendar": _("A calendar that follows your timetable")}
TOKEN_STATES = {"active": (_("Active"), "good"), "revoked": (pgettext_lazy("token", "Revoked"), "neutral")}

TOKEN = resource(
    Resource(
        "token", "tokens", Token, _("Access token"), _("Access tokens"), lambda t: t.label,
        fields=(
            Shown("label", _("Label"), lambda t: t.label, listed=True, sort="label"),
            Shown("purpose", _("For"), lambda t: t.purpose, listed=True, words=TOKEN_PURPOSES),
            Shown("state", _("State"), lambda t: t.state, "state", listed=True),
            Shown("expires_at", _("Expires"), lambda t: t.expires_at, "moment", listed=True, sort="expires_at"),
            Shown("used_at", _("Last used"), lambda t: t.used_at, "moment", listed=True),
        ),
        states=TOKEN_STATES,
    )
)  # fmt: skip
