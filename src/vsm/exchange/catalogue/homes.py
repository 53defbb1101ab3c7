"""The homes that have agreements with hosts, and what of the catalogue these open to their students."""

from datetime import date
from uuid import UUID

from django.db.models import Q

from vsm.exchange.agreements.models import Agreement
from vsm.exchange.agreements.queries import terms_of
from vsm.exchange.agreements.states import State
from vsm.exchange.catalogue.coverage import Covered
from vsm.exchange.institutions.models import Organisation
from vsm.kit.localized import text_in


def homes(on: date, language: str) -> list[tuple[UUID, str]]:
    """Institutions with a signed agreement that has not ended on that day, by name. One query."""
    lasting = Agreement.objects.filter(state=State.SIGNED, ends_on__gte=on)
    is_party = Q(pk__in=lasting.values("first_id")) | Q(pk__in=lasting.values("second_id"))
    found = Organisation.objects.filter(is_party).values_list("pk", "name")
    return sorted(((pk, text_in(name, language)) for pk, name in found), key=lambda pair: pair[1].casefold())


def coverage_of(home_id: UUID, on: date) -> tuple[Covered, ...]:
    """What the home's signed agreements open, that have not ended on that day. As for eligibility, an agreement covers
    the courses that start while it is in force. One query."""
    lasting = Agreement.objects.filter(Q(first=home_id) | Q(second=home_id), state=State.SIGNED, ends_on__gte=on)
    return tuple(_covered(agreement, home_id) for agreement in lasting.order_by("code"))


def _covered(agreement: Agreement, home_id: UUID) -> Covered:
    terms = terms_of(agreement)
    host = agreement.second_id if agreement.first_id == home_id else agreement.first_id
    return Covered(str(host), terms.category, agreement.starts_on, agreement.ends_on, terms.levels, terms.isced_f)
