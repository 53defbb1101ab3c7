"""Persons, their memberships, invitations, study records and API tokens."""

from functools import cache
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models

from vsm.exchange.people.rules import Role
from vsm.kit.actors import Actor
from vsm.kit.localized import LANGUAGES
from vsm.kit.records import Record, VisibleQuerySet

ROLE_CHOICES = [(role.value, role.value) for role in Role]


class Persons(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Persons":
        """Oneself, and for staff everybody who belongs to one of their organisations."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations(Role.COORDINATOR, Role.REGISTRAR)
        return self.filter(models.Q(pk=actor.person_id) | models.Q(memberships__organisation_id__in=staffed)).distinct()


class PersonManager(BaseUserManager["Person"].from_queryset(Persons)):  # type: ignore[misc]  # -- a base class computed by Django
    def create_user(self, email: str, password: str | None = None, **extra: Any) -> "Person":
        person: Person = self.model(email=self.normalize_email(email).lower(), **extra)
        person.set_password(password)
        person.save()
        return person

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> "Person":
        return self.create_user(email, password, is_operator=True, **extra)


class Person(Record, AbstractBaseUser, PermissionsMixin):
    """Somebody who can sign in. Names as the person writes them; nothing is parsed out of them."""

    noun = "person"

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200)
    language = models.CharField(max_length=8, default="es", choices=[(code, code) for code in LANGUAGES])
    zone = models.CharField(max_length=64, default="UTC")
    is_operator = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    objects: ClassVar[Any] = PersonManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def searchable(self) -> tuple[str, ...]:
        return self.name, self.email

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Django's own sign-in code saves single columns (`last_login`); that is not a change of the record."""
        if kwargs.get("update_fields") and not self._state.adding:
            models.Model.save(self, *args, **kwargs)
            return
        super().save(*args, **kwargs)


class Memberships(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Memberships":
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations(Role.COORDINATOR, Role.REGISTRAR)
        return self.filter(models.Q(person_id=actor.person_id) | models.Q(organisation_id__in=staffed))


class Membership(Record):
    """A role that a person holds at an organisation, from a day to a day."""

    noun = "membership"

    person = models.ForeignKey(Person, models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey("institutions.Organisation", models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=ROLE_CHOICES)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    objects = Memberships.as_manager()

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["person", "organisation", "role"], condition=models.Q(ends_on=None), name="one_open_membership"),
            models.CheckConstraint(condition=models.Q(ends_on=None) | models.Q(ends_on__gte=models.F("starts_on")), name="membership_ends_after_start"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.person.name, self.person.email, self.role


class Invitations(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Invitations":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(organisation_id__in=actor.organisations(Role.COORDINATOR))


class Invitation(Record):
    """An offer of a role by mail. Only a hash of the link's token is kept; it expires and works once."""

    noun = "invitation"

    organisation = models.ForeignKey("institutions.Organisation", models.CASCADE)
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=ROLE_CHOICES)
    language = models.CharField(max_length=8, default="es")
    token_hash = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=10, default="sent", choices=[(s, s) for s in ("sent", "accepted", "withdrawn")])
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    objects = Invitations.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def searchable(self) -> tuple[str, ...]:
        return self.email, self.role


class StudentRecords(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "StudentRecords":
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations(Role.COORDINATOR, Role.REGISTRAR, Role.OBSERVER)
        return self.filter(models.Q(person_id=actor.person_id) | models.Q(home_id__in=staffed))


class StudentRecord(Record):
    """What home says about a student's studies; eligibility is decided on these facts."""

    noun = "student"

    person = models.OneToOneField(Person, models.CASCADE, related_name="student_record")
    home = models.ForeignKey("institutions.Organisation", models.PROTECT, related_name="students")
    student_number = models.CharField(max_length=64)
    programme = models.CharField(max_length=200)
    level = models.CharField(max_length=16, choices=[(s, s) for s in ("short-cycle", "bachelor", "master", "doctorate")])
    isced_f = models.CharField(max_length=4, default="", blank=True)
    credits_earned = models.DecimalField(max_digits=7, decimal_places=2, default=0)
    credits_total = models.DecimalField(max_digits=7, decimal_places=2, default=0)
    average = models.CharField(max_length=16, default="", blank=True)
    languages = models.JSONField(default=dict, blank=True)
    needs = models.TextField(default="", blank=True)

    objects = StudentRecords.as_manager()

    class Meta:
        ordering = ["student_number"]
        constraints = [models.UniqueConstraint(fields=["home", "student_number"], name="one_student_per_number")]

    def searchable(self) -> tuple[str, ...]:
        return self.person.name, self.person.email, self.student_number, self.programme

    @property
    def share_passed(self) -> float | None:
        """The part of the degree that is passed, 0 to 1; None when home gave no total."""
        return float(self.credits_earned) / float(self.credits_total) if self.credits_total else None


class Tokens(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Tokens":
        return self if actor.is_system else self.filter(person_id=actor.person_id)


class Token(Record):
    """A key to the REST API or to a calendar feed. Only its hash is kept."""

    noun = "token"

    person = models.ForeignKey(Person, models.CASCADE, related_name="tokens")
    label = models.CharField(max_length=80)
    purpose = models.CharField(max_length=8, default="api", choices=[("api", "api"), ("calendar", "calendar")])
    token_hash = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=8, default="active", choices=[("active", "active"), ("revoked", "revoked")])
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    secret = ""
    """The token itself, on the one object that was just made; nothing stores it."""

    objects = Tokens.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def searchable(self) -> tuple[str, ...]:
        return (self.label,)


class AddressChange(Record):
    """A mail address that a person asked for and has not shown to be theirs. The newest only; gone once it is confirmed.

    `account_hash` is of the address and password that the account had then: with another of either the link opens nothing.
    """

    noun = "address_change"

    person = models.OneToOneField(Person, models.CASCADE, related_name="address_change")
    email = models.EmailField()
    token_hash = models.CharField(max_length=64, unique=True)
    account_hash = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    objects = VisibleQuerySet.as_manager()

    def searchable(self) -> tuple[str, ...]:
        return ()


@cache
def zones() -> frozenset[str]:
    """Every IANA time zone of the tz database that we run with, read once a process (it means listing folders)."""
    return frozenset(available_timezones())


def is_zone(name: str) -> bool:
    return name in zones()
