"""What is wrong with a problem before anybody is placed: every fault at once, each with the facts to find it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason, Verdict

if TYPE_CHECKING:  # the problem asks here what is wrong with it
    from vsm.exchange.allocation.problem import Offering, Quota, Student

# Bands, ranks and seats fit in 32 bits, so that (band, place in the lottery) packs into one 64-bit integer of a
# compiled kernel.
LARGEST = 2**31 - 1
WEEK = 7 * 24 * 60  # minutes


# Each further group with reserved seats in one offering doubles the work of its choice.
MOST_GROUPS = 8


class Rules(NamedTuple):
    """The names that are known for each rule."""

    mechanism: tuple[str, ...]
    lottery: tuple[str, ...]
    timetable: tuple[str, ...]


def faults(
    offerings: Sequence["Offering"],
    students: Sequence["Student"],
    quotas: Sequence["Quota"],
    known: Rules,
    seed: str,
    mechanism: str,
    lottery: str,
    timetable: str,
) -> Verdict:
    """Every reason why these cannot be allocated; values may be of any type, as they come from files.

    Whether hard minima can be met is not looked at here: `bounds.feasible` tells, for it takes a search.
    """
    return Verdict.of(
        [
            *_faults_of_rules(known, seed, mechanism, lottery, timetable),
            *_faults_of_offerings(offerings),
            *_faults_of_policies(offerings, timetable),
            *_faults_of_quotas(quotas),
            *_faults_of_students(students),
            *_faults_of_choices(students, {offering.id for offering in offerings if _is_id(offering.id)}),
        ]
    )


def _faults_of_rules(known: Rules, seed: str, mechanism: str, lottery: str, timetable: str) -> Iterator[Reason]:
    if not _is_id(seed):
        yield Reason("seed-missing", N_("The lottery needs a seed: a line of printable text."), field="seed")
    if mechanism not in known.mechanism:
        yield Reason(
            "mechanism-unknown",
            N_("“%(mechanism)s” is not a mechanism. Use one of: %(known)s."),
            {"mechanism": mechanism, "known": ", ".join(known.mechanism)},
            field="mechanism",
        )
    if lottery not in known.lottery:
        yield Reason(
            "lottery-unknown",
            N_("“%(lottery)s” is not a kind of lottery. Use one of: %(known)s."),
            {"lottery": lottery, "known": ", ".join(known.lottery)},
            field="lottery",
        )
    if timetable not in known.timetable:
        yield Reason(
            "timetable-unknown",
            N_("“%(timetable)s” is not a way to respect timetables. Use one of: %(known)s."),
            {"timetable": timetable, "known": ", ".join(known.timetable)},
            field="timetable",
        )


def _faults_of_offerings(offerings: Sequence["Offering"]) -> Iterator[Reason]:
    yield from _faults_of_ids([offering.id for offering in offerings], "offering")
    for offering in offerings:
        if not _is_whole(offering.capacity, 0):
            yield Reason(
                "capacity-wrong",
                N_("Offering %(offering)s: the number of seats must be 0 or more, not %(capacity)s."),
                {"offering": offering.id, "capacity": offering.capacity},
                field="capacity",
            )


def _faults_of_policies(offerings: Sequence["Offering"], timetable: str) -> Iterator[Reason]:
    for offering in offerings:
        yield from _faults_of_ids([*offering.labels], "label")
        yield from _faults_of_ids([group for group, _ in offering.reserves], "group")
        yield from _faults_of_ids([group for group, *_ in offering.bounds], "group")
        yield from _faults_of_reserves(offering)
        yield from _faults_of_bounds(offering)
        for start, end in offering.meetings:
            if not (_is_whole(start, 0) and start < WEEK and _is_whole(end, start + 1) and end <= start + WEEK):
                yield Reason(
                    "meeting-wrong",
                    N_(
                        "Offering %(offering)s: a meeting must begin within the week (minute 0 to 10079) and end after it "
                        "begins, at most a week later, not from %(start)s to %(end)s."
                    ),
                    {"offering": offering.id, "start": start, "end": end},
                    field="meetings",
                )
        if not _is_whole(offering.credits, 0):
            yield Reason(
                "credits-wrong",
                N_("Offering %(offering)s: credits must be a whole number of hundredths, 0 or more, not %(credits)s."),
                {"offering": offering.id, "credits": offering.credits},
                field="credits",
            )
    if timetable == "exact" and any(offering.reserves for offering in offerings):
        text = N_("The exact timetable cannot be combined with reserved seats. Use the fast one, or demand minima instead.")
        yield Reason("exact-with-reserves", text, field="timetable")


def _faults_of_reserves(offering: "Offering") -> Iterator[Reason]:
    about = {"offering": offering.id, "capacity": offering.capacity}
    wrong = [(group, seats) for group, seats in offering.reserves if not _is_whole(seats, 0)]
    for group, seats in wrong:
        yield Reason(
            "reserve-wrong",
            N_("Offering %(offering)s, group %(group)s: the number of reserved seats must be 0 or more, not %(seats)s."),
            about | {"group": group, "seats": seats},
            field="reserves",
        )
    if wrong or not _is_whole(offering.capacity, 0):
        return
    reserved = sum(seats for _, seats in offering.reserves)
    if reserved > offering.capacity:
        yield Reason(
            "reserves-exceed-seats",
            N_("Offering %(offering)s has %(capacity)s seats, but %(reserved)s are reserved."),
            about | {"reserved": reserved},
            field="reserves",
        )
    if len(offering.reserves) > MOST_GROUPS:
        yield Reason(
            "too-many-groups",
            N_("Offering %(offering)s reserves seats for %(groups)s groups; %(most)s is the most."),
            about | {"groups": len(offering.reserves), "most": MOST_GROUPS},
            field="reserves",
        )


def _faults_of_bounds(offering: "Offering") -> Iterator[Reason]:
    for group, minimum, maximum in offering.bounds:
        about = {"offering": offering.id, "group": group, "minimum": minimum, "maximum": maximum}
        if not _is_span(minimum, maximum):
            yield Reason(
                "bound-wrong",
                N_(
                    "Offering %(offering)s, group %(group)s: the minimum must be 0 or more and not above the maximum "
                    "(%(minimum)s, %(maximum)s)."
                ),
                about,
                field="bounds",
            )
        elif _is_whole(offering.capacity, 0) and minimum > offering.capacity:
            yield Reason(
                "minimum-exceeds-seats",
                N_("Offering %(offering)s has %(capacity)s seats, but at least %(minimum)s are demanded for group %(group)s."),
                about | {"capacity": offering.capacity},
                field="bounds",
            )


def _faults_of_quotas(quotas: Sequence["Quota"]) -> Iterator[Reason]:
    yield from _faults_of_ids([quota.id for quota in quotas], "quota")
    for quota in quotas:
        yield from _faults_of_ids([*quota.origins], "origin")
        yield from _faults_of_ids([*quota.labels], "label")
        if not _is_span(quota.minimum, quota.maximum) or type(quota.hard) is not bool:
            yield Reason(
                "quota-wrong",
                N_("Quota %(quota)s: the minimum must be 0 or more and not above the maximum (%(minimum)s, %(maximum)s)."),
                {"quota": quota.id, "minimum": quota.minimum, "maximum": quota.maximum},
                field="quotas",
            )


def _faults_of_students(students: Sequence["Student"]) -> Iterator[Reason]:
    yield from _faults_of_ids([student.id for student in students], "student")
    for student in students:
        if not _is_whole(student.seats_wanted, 1):
            yield Reason(
                "seats-wanted-wrong",
                N_("Student %(student)s: the number of seats wanted must be 1 or more, not %(seats_wanted)s."),
                {"student": student.id, "seats_wanted": student.seats_wanted},
                field="seats_wanted",
            )
        yield from _faults_of_ids([*student.groups], "group")
        if student.origin != "" and not _is_id(student.origin):
            yield from _faults_of_ids([student.origin], "origin")
        if student.credits_range is not None and not _is_span(*student.credits_range):
            least, most = student.credits_range
            yield Reason(
                "credits-range-wrong",
                N_("Student %(student)s: the least credits must be 0 or more and not above the most (%(least)s, %(most)s)."),
                {"student": student.id, "least": least, "most": most},
                field="credits_range",
            )


def _faults_of_ids(ids: Sequence[str], kind: str) -> Iterator[Reason]:
    for wrong in (each for each in ids if not _is_id(each)):
        yield Reason(
            f"{kind}-id-wrong",
            N_("%(id)s is not an id: it must be printable text without spaces at its ends."),
            {"id": repr(wrong)},
            field="id",
        )
    for repeated, times in Counter(each for each in ids if _is_id(each)).items():
        if times > 1:
            yield Reason(
                f"{kind}-repeated", N_("%(id)s stands %(times)s times."), {"id": repeated, "times": times}, field="id"
            )


def _faults_of_choices(students: Sequence["Student"], known: set[str]) -> Iterator[Reason]:
    for student in students:
        if _is_usual(student.choices, known):
            continue
        ranks, chosen = set(), set()
        for rank, offering, band in student.choices:
            about = {"student": student.id, "rank": rank, "offering": offering, "band": band}
            if not _is_whole(rank, 1):
                yield Reason(
                    "rank-wrong",
                    N_("Student %(student)s: a rank must be 1 or more, not %(rank)s."),
                    about,
                    field="rank",
                )
            elif rank in ranks:
                yield Reason(
                    "rank-repeated", N_("Student %(student)s: rank %(rank)s stands twice."), about, field="rank"
                )
            else:
                ranks.add(rank)
            if not _is_id(offering) or offering not in known:
                yield Reason(
                    "offering-unknown",
                    N_("Student %(student)s, rank %(rank)s: there is no offering %(offering)s."),
                    about,
                    field="offering",
                )
            elif offering in chosen:
                yield Reason(
                    "choice-repeated",
                    N_("Student %(student)s: offering %(offering)s is ranked twice."),
                    about,
                    field="offering",
                )
            else:
                chosen.add(offering)
            if not _is_whole(band, -LARGEST):
                yield Reason(
                    "band-wrong",
                    N_("Student %(student)s, offering %(offering)s: the band must be a whole number, not %(band)s."),
                    about,
                    field="band",
                )


def _is_usual(choices: Sequence[Any], known: set[str]) -> bool:
    """Whether nothing is wrong with this list, told by a few looks at all of it: most are so, and there may be millions."""
    if not choices:
        return True
    ranks, offerings, bands = zip(*choices, strict=True)
    return (
        {*map(type, ranks), *map(type, bands)} == {int}
        and {*map(type, offerings)} == {str}
        and 1 <= min(ranks) <= max(ranks) <= LARGEST
        and -LARGEST <= min(bands) <= max(bands) <= LARGEST
        and len({*ranks}) == len({*offerings}) == len(choices)
        and known.issuperset(offerings)
    )


def _is_id(value: object) -> bool:
    # isprintable() also refuses control characters and lone surrogates, which cannot be hashed or shown.
    return isinstance(value, str) and value != "" and value == value.strip() and value.isprintable()


def _is_whole(value: object, least: int) -> bool:
    # type() and not isinstance(): True is an int for Python, and would be written as `true`.
    return type(value) is int and least <= value <= LARGEST


def _is_span(least: object, most: object) -> bool:
    return isinstance(least, int) and _is_whole(least, 0) and (most is None or _is_whole(most, least))
