"""The lives of an online event and of a registration for it."""

from enum import StrEnum

from vsm.kit.states import step


class EventState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    CANCELLED = "cancelled"
    HELD = "held"


EVENT_STEPS = {
    "edit": step(EventState.DRAFT, EventState.PUBLISHED),
    "publish": step(EventState.DRAFT, to=EventState.PUBLISHED),
    "register": step(EventState.PUBLISHED),
    "cancel": step(EventState.DRAFT, EventState.PUBLISHED, to=EventState.CANCELLED),
    "take_attendance": step(EventState.PUBLISHED, EventState.HELD, to=EventState.HELD),
    "add_recording": step(EventState.PUBLISHED, EventState.HELD),
    "certify": step(EventState.HELD),
}


class RegistrationState(StrEnum):
    UNCONFIRMED = "unconfirmed"
    REGISTERED = "registered"
    WAITING = "waiting"
    OFFERED = "offered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


HOLDING = (RegistrationState.REGISTERED, RegistrationState.OFFERED)
"""Who holds one of the places: an offered place is held until it is answered or expires."""

REGISTRATION_STEPS = {
    "confirm": step(RegistrationState.UNCONFIRMED),
    "offer": step(RegistrationState.WAITING, to=RegistrationState.OFFERED),
    "take_place": step(RegistrationState.OFFERED, to=RegistrationState.REGISTERED),
    "expire": step(RegistrationState.OFFERED, to=RegistrationState.EXPIRED),
    "cancel": step(RegistrationState.UNCONFIRMED, RegistrationState.REGISTERED, RegistrationState.WAITING, RegistrationState.OFFERED, to=RegistrationState.CANCELLED),
    "again": step(RegistrationState.CANCELLED, RegistrationState.EXPIRED, to=RegistrationState.UNCONFIRMED),
    "join": step(RegistrationState.REGISTERED),
    "give_feedback": step(RegistrationState.REGISTERED),
}
