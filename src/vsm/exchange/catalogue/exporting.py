"""A catalogue as OpenVSM's own CSV, which `examples/mappings/openvsm.yaml` reads back without a difference.

Not in the file: drafts that the reader may not see, what was withdrawn, and the address of the meeting room, which is for
those who take part. Columns that the mapping does not name (state, unit, last days) are there to be read, not imported.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, QuerySet

from vsm.exchange.catalogue.formulas import guarded
from vsm.exchange.catalogue.mapping_parts import TEXTS
from vsm.exchange.catalogue.models import Meeting, Offering
from vsm.exchange.catalogue.states import State
from vsm.exchange.catalogue.weekly import Meeting as Weekly
from vsm.exchange.catalogue.weekly import written
from vsm.exchange.institutions.models import Organisation
from vsm.kit.actors import Actor

LANGUAGE_COLUMNS = {"es": "es", "pt-br": "pt", "en": "en", "fr": "fr"}
CHUNK = 1_000


def csv_of(organisation: Organisation, actor: Actor) -> Iterator[str]:
    """The lines of an institution's catalogue as this actor may see it, the header first. Two queries a thousand rows."""
    writer = csv.DictWriter(_Echo(), _columns(), lineterminator="\n")
    yield writer.writerow({name: name for name in _columns()})
    for offering in _exported(organisation, actor).iterator(chunk_size=CHUNK):
        yield writer.writerow({name: guarded(text) for name, text in row_of(offering).items()})


def row_of(offering: Any) -> dict[str, str]:
    """One offering as cells by column, before they are made harmless."""
    return {**_texts(offering.opportunity), **{name: _plain(read(offering)) for name, read in _FACTS.items()}}


_FACTS: Mapping[str, Callable[[Any], Any]] = {
    "code": lambda o: o.opportunity.code,
    "offering": lambda o: o.code,
    "category": lambda o: o.opportunity.category,
    "subject": lambda o: o.opportunity.subject,
    "isced_f": lambda o: o.opportunity.isced_f,
    "level": lambda o: o.opportunity.level,
    "credits": lambda o: o.opportunity.credits,
    "credits_high": lambda o: o.opportunity.credits_high,
    "credit_values": lambda o: " or ".join(o.opportunity.credit_values),
    "credit_system": lambda o: o.opportunity.credit_system,
    "workload_hours": lambda o: o.opportunity.workload_hours,
    "language": lambda o: o.opportunity.language,
    "cefr": lambda o: o.opportunity.cefr,
    "term": lambda o: o.term_code,
    "starts_on": lambda o: o.starts_on,
    "ends_on": lambda o: o.ends_on,
    "zone": lambda o: o.zone,
    "mode": lambda o: o.mode,
    "bandwidth": lambda o: o.bandwidth,
    "seats": lambda o: o.seats,
    "meetings": lambda o: written(Weekly(m.weekday, f"{m.starts:%H:%M}", f"{m.ends:%H:%M}", m.label) for m in o.meetings.all()),
    "state": lambda o: o.state,
    "unit": lambda o: o.opportunity.unit.code if o.opportunity.unit else "",
    "drop_by": lambda o: o.drop_by,
    "withdraw_by": lambda o: o.withdraw_by,
}


def _exported(organisation: Organisation, actor: Actor) -> QuerySet[Any]:
    found: QuerySet[Any] = Offering.objects.visible_to(actor).filter(opportunity__organisation=organisation).exclude(state=State.WITHDRAWN)
    meetings = Prefetch("meetings", Meeting.objects.order_by("weekday", "starts"))
    return found.select_related("opportunity__unit").prefetch_related(meetings).order_by("opportunity__code", "starts_on", "code", "pk")


def _columns() -> list[str]:
    texts = [f"{text}_{suffix}" for text in TEXTS for suffix in LANGUAGE_COLUMNS.values()]
    facts = list(_FACTS)
    return [*facts[:3], *texts, *facts[3:]]


def _texts(opportunity: Any) -> dict[str, str]:
    return {
        f"{text}_{suffix}": getattr(opportunity, text).get(language, "")
        for text in TEXTS
        for language, suffix in LANGUAGE_COLUMNS.items()
    }


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return "" if value is None else str(value)


class _Echo:
    """A file that gives back what is written to it: csv wants a file, a stream wants lines."""

    def write(self, text: str) -> str:
        return text
