"""What is known of people, as the engine takes it: from student records, homes, zones, and the hours that they declared."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from vsm.exchange.people.models import Person, StudentRecord, is_zone
from vsm.exchange.sessions.models import Availability, Enrolment
from vsm.exchange.sessions.queries import ATTENDING
from vsm.exchange.teams.problem import Participant
from vsm.exchange.teams.rules import WEEK, blocks_of, speaks

EXPERIENCE = "experience"


def participants(
    persons: Iterable[Person], *, now: datetime,
    skills: Mapping[UUID, Mapping[str, int]] | None = None,
    groups: Mapping[UUID, Mapping[str, str]] | None = None,
) -> list[Participant]:  # fmt: skip
    """The persons for a formation. A higher slice adds what it knows beyond the records: `skills` (whole numbers) and
    `groups` that people declared themselves (`{"gender": "woman"}`); neither is shown to anybody.

    Country and institution are those of the student's home; languages those known from B1 and the person's own;
    `experience` is the part of the degree that is passed, in tenths. The hours are asked by `Availability` alone:
    whoever declared none can meet at any.
    """
    people = {person.pk: person for person in persons}
    records = {record.person_id: record for record in StudentRecord.objects.filter(person__in=people).select_related("home")}
    hours = {each.person_id: each for each in Availability.objects.filter(person__in=people)}
    return [
        _participant(person, records.get(pk), hours.get(pk), now, (skills or {}).get(pk, {}), (groups or {}).get(pk, {}))
        for pk, person in people.items()
    ]  # fmt: skip


def enrolled(offering_id: UUID) -> list[Person]:
    """Everybody who attends an offering."""
    found = Enrolment.objects.filter(offering_id=offering_id, state__in=ATTENDING).select_related("student").order_by("student_id")
    return [each.student for each in found]


def people_of(owner_noun: str, owner_id: UUID) -> Sequence[Person] | None:
    """Who takes part in an owner that this slice knows (an offering); None where only a higher slice can tell."""
    return enrolled(owner_id) if owner_noun == "offering" else None


def _participant(
    person: Person, record: StudentRecord | None, hours: Availability | None, now: datetime,
    skills: Mapping[str, int], groups: Mapping[str, str],
) -> Participant:  # fmt: skip
    offset = offset_of(person.zone, now)
    share = record.share_passed if record else None
    known = {EXPERIENCE: round(10 * share)} if share is not None else {}
    return Participant(
        id=str(person.pk),
        country=record.home.country if record else "",
        institution=str(record.home_id) if record else "",
        languages=speaks(record.languages if record else {}, person.language),
        utc_offset=offset,
        available=blocks_of(hours.hours, offset_of(hours.zone, now)) if hours and len(hours.hours) == WEEK else None,
        skills={**known, **skills},
        groups={"first_language": person.language, **groups},
    )


def offset_of(zone: str, now: datetime) -> int:
    """Minutes from UTC on that day; 0 where the zone is unknown."""
    if not is_zone(zone):
        return 0
    offset = now.astimezone(ZoneInfo(zone)).utcoffset()
    return round(offset.total_seconds() / 60) if offset else 0
