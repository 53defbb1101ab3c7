"""Telling when one can meet: an ordinary week, on one's own wall."""

from datetime import datetime
from typing import Annotated

from django.utils.translation import gettext_lazy as _

from vsm.exchange.people.models import Person, zones
from vsm.exchange.sessions.models import Availability
from vsm.exchange.sessions.queries import hour_choices, hours_of
from vsm.exchange.sessions.slots import HOURS
from vsm.exchange.sessions.zones import present_name, why_no_zone
from vsm.kit.actions import Ask, action
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason


@action("tell_availability", on=Person, label=_("Tell when you can meet"), allow=("self@id",))
def tell_availability(
    person: Person, *, by: Actor, now: datetime,
    hours: Annotated[list[str], Ask(_("Hours when you can meet"), _("Of an ordinary week, where you are: 0-08 is Monday 08:00 to 09:00."), choices=hour_choices, start=lambda p, _a: hours_of(p))],
    zone: Annotated[str, Ask(_("Time zone"), start=lambda p, _a: p.zone, limit=64)] = "",
) -> Availability:  # fmt: skip
    """Say at which hours of an ordinary week you can meet. Whoever looks for a time counts how many can, and does not see
    your hours. Your courses' meetings are known anyway."""
    zone = present_name(zone.strip() or person.zone)
    wrong = why_no_zone(zone, zones())
    known = {value for value, _label in hour_choices(person, by)}
    strange = [Reason("no-such-hour", N_("“%(hour)s” is no hour of a week between 06:00 and 23:00. Write the weekday (0 is Monday, 6 is Sunday), a hyphen and the hour at which it begins: 0-08 is Monday 08:00 to 09:00."), {"hour": each}, "hours") for each in hours if each not in known]
    Invalid.because([*([wrong] if wrong else []), *strange[:5]])
    can = ["0"] * HOURS
    for each in hours:
        day, _dash, hour = each.partition("-")
        can[int(day) * 24 + int(hour)] = "1"
    told = Availability.objects.filter(person=person).first() or Availability(person=person)
    told.zone, told.hours = zone, "".join(can)
    told.save()
    return told
