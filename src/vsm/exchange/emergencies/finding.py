"""Who is concerned: the stays that an emergency reaches, judged by the pure rules, seen before the declaration and kept after it."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from vsm.exchange.agreements.models import Agreement
from vsm.exchange.agreements.states import State as AgreementState
from vsm.exchange.emergencies.models import Case, Emergency
from vsm.exchange.emergencies.rules import DAY, Finding, Traveller, affected, combined
from vsm.exchange.emergencies.states import HANDLED, CaseState, State
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.mobilities.models import Course, Mobility
from vsm.exchange.mobilities.queries import live_stays
from vsm.kit import bulk

MOST_OTHERS = 20


@dataclass(frozen=True)
class Preview:
    """What a declaration would find: students, by situation; courses in person; institutions; what is not known."""

    students: int
    courses: int
    homes: int
    hosts: int
    situations: dict[str, int]
    covered: int
    without_nationality: int
    without_courses: int


def reach(emergency: Emergency) -> QuerySet[Mobility]:
    """The stays that the declarer may speak for, as far as their days meet the restriction's.

    An institution speaks for its own students abroad and for its guests; a network for those of its members, which are
    the institutions that have a signed agreement with it; the operator for all.
    """
    found = live_stays((emergency.starts_on, emergency.last_day or date.max))
    declarer = emergency.declared_by
    if declarer is None:
        return found
    if declarer.kind != "network":
        return found.filter(Q(home=declarer) | Q(host=declarer))
    members = members_of(declarer.pk, emergency.starts_on)
    return found.filter(Q(home__in=members) | Q(host__in=members))


def members_of(network: UUID, on: date) -> set[UUID]:
    """Institutions in a signed agreement with a network on a day."""
    signed = Agreement.objects.filter(Q(first=network) | Q(second=network), state=AgreementState.SIGNED, starts_on__lte=on, ends_on__gte=on)
    return {party for pair in signed.values_list("first_id", "second_id") for party in pair} - {network}


def travellers(stays: QuerySet[Mobility]) -> Iterator[Traveller]:
    """As the rules take them, in one query."""
    columns = (
        "pk", "home_id", "home__country", "home__city", "host_id", "country", "region", "city", "starts_on", "ends_on", "nationalities", "residence",
    )  # fmt: skip
    for pk, home, home_country, home_city, host, country, region, city, starts_on, ends_on, nationalities, residence in stays.values_list(*columns):
        yield Traveller(
            mobility=str(pk), home=str(home), home_country=home_country, home_city=home_city, host=str(host), country=country,
            region=region, city=city, starts_on=starts_on, ends_on=ends_on, nationalities=frozenset(nationalities), residence=residence,
        )  # fmt: skip


def findings(emergency: Emergency, stays: QuerySet[Mobility]) -> list[Finding]:
    restriction = emergency.restriction
    return [found for each in travellers(stays) if (found := affected(each, restriction))]


def preview(emergency: Emergency) -> Preview:
    """What would be found now. Nothing is written."""
    found = findings(emergency, reach(emergency))
    ids = [UUID(each.mobility) for each in found]
    stays = list(Mobility.objects.in_bulk(ids).values())
    # Asked whole and narrowed here: a list of thousands of ids is more than some databases take as parameters.
    wanted = set(ids)
    courses = [row for row in Course.objects.filter(mobility__in=reach(emergency)).values_list("mobility_id", "mobility__host_id", "code") if row[0] in wanted]
    return Preview(
        students=len({stay.student_id for stay in stays}),
        courses=len({(host, code) for _stay, host, code in courses}),
        homes=len({stay.home_id for stay in stays}),
        hosts=len({stay.host_id for stay in stays}),
        situations=dict(Counter(situation for each in found for situation in each.situations)),
        covered=len(wanted & handled_elsewhere(emergency)),
        without_nationality=sum(not stay.nationalities for stay in stays),
        without_courses=len(wanted - {stay for stay, _host, _code in courses}),
    )


def overlapping(emergency: Emergency) -> list[Emergency]:
    """Other declared restrictions in earnest whose days meet this one's and that share a country or an institution; for a drill, its declarer's drills."""
    others = Emergency.objects.filter(state=State.DECLARED, is_drill=emergency.is_drill).exclude(pk=emergency.pk)
    if emergency.is_drill:
        others = others.filter(declared_by=emergency.declared_by_id)
    others = others.filter(Q(ends_on=None) | Q(ends_on__gte=emergency.starts_on)).order_by("starts_on")[:MOST_OTHERS]
    mine = {(place.country, place.institution) for place in emergency.restriction.places}
    last = emergency.last_day
    return [
        each for each in others
        if (last is None or each.starts_on <= last) and mine & {(place.country, place.institution) for place in each.restriction.places}
    ]  # fmt: skip


def find_batch(emergency: Emergency, after: UUID | None, size: int, now: datetime) -> tuple[int, int, UUID | None]:
    """Inside an act: look at the next stays and keep a case for each one concerned.

    Gives (looked at, new cases, the last stay looked at; None at the end). A stay that has a case already gets today's
    days; one that is not concerned any more is released as long as nothing was proposed.
    """
    ordered = reach(emergency).order_by("pk")
    batch = list((ordered.filter(pk__gt=after) if after else ordered).values_list("pk", flat=True)[:size])
    if not batch:
        return 0, 0, None
    stays = Mobility.objects.filter(pk__in=batch).select_related("student").defer("folded", "student__folded", "student__password")
    institutions = Organisation.objects.in_bulk({side for pair in stays.values_list("home", "host").distinct() for side in pair})
    found = {UUID(each.mobility): each for each in findings(emergency, stays)}
    held = {case.mobility_id: case for case in Case.objects.filter(emergency=emergency, mobility__in=batch)}
    covered = handled_elsewhere(emergency, batch)
    for stay in stays:
        stay.home, stay.host = institutions[stay.home_id], institutions[stay.host_id]
    made = [_case(emergency, stay, found[stay.pk], stay.pk in covered) for stay in stays if stay.pk in found and stay.pk not in held]
    for case in made:
        case.prepare()
    bulk.insert(Case, made)
    for mobility, case in held.items():
        _bring_up_to_date(case, found.get(mobility))
    return len(batch), len(made), batch[-1]


def standing_findings(stays: Collection[UUID], besides: Emergency, on: date) -> set[UUID]:
    """Which of these stays other declared restrictions still concern on a day or later: a lifted one may not be the only one."""
    others = list(Emergency.objects.filter(state=State.DECLARED, is_drill=besides.is_drill).exclude(pk=besides.pk))
    if not others:
        return set()
    found = combined(travellers(Mobility.objects.filter(pk__in=list(stays))), [each.restriction for each in others])
    return {UUID(stay) for stay, finding in found.items() if finding.last is None or finding.last >= on}


def _case(emergency: Emergency, stay: Mobility, finding: Finding, is_covered: bool) -> Case:
    return Case(
        emergency=emergency, mobility=stay, student=stay.student, home=stay.home, host=stay.host, situations=sorted(finding.situations),
        affected_from=finding.first, affected_until=finding.last, urgency=2 if finding.studies_at_home else 1,
        state=CaseState.COVERED if is_covered else CaseState.FOUND,
    )  # fmt: skip


def _bring_up_to_date(case: Case, finding: Finding | None) -> None:
    if finding is None:
        if case.state in {CaseState.FOUND, CaseState.COVERED}:
            case.state, case.affected_until = CaseState.RELEASED, case.affected_from - DAY
            case.save()
        return
    facts = (sorted(finding.situations), finding.first, finding.last)
    back = case.state == CaseState.RELEASED
    if back or facts != (case.situations, case.affected_from, case.affected_until):
        case.situations, case.affected_from, case.affected_until = facts
        case.state = CaseState.FOUND if back else case.state
        case.save()


def handled_elsewhere(emergency: Emergency, among: list[UUID] | None = None) -> set[UUID]:
    """Stays that a case of another emergency of the same earnestness looks after already.

    A proposal that nobody has answered, for days that are over when this one begins, looks after nobody; nor does a
    rehearsal of such days, while who really went on online stays so until classes are brought back.
    """
    cases = Case.objects.filter(state__in=HANDLED, emergency__is_drill=emergency.is_drill).exclude(emergency=emergency)
    over = Q(affected_until__isnull=False, affected_until__lt=emergency.starts_on)
    cases = cases.exclude(over if emergency.is_drill else over & Q(state=CaseState.PROPOSED))
    if among is not None:
        cases = cases.filter(mobility__in=among)
    return set(cases.values_list("mobility_id", flat=True))
