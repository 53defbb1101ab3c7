"""What doors read about opportunities, offerings and imports. The public search stands in `search_page`."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vsm import rulebook
from vsm.exchange.catalogue import labels
from vsm.exchange.catalogue.models import Import, Offering, Opportunity
from vsm.exchange.catalogue.search_page import Card, Facet, SearchPage, search
from vsm.exchange.catalogue.states import ImportState
from vsm.exchange.catalogue.vocabulary import CEFR
from vsm.exchange.institutions.models import Organisation, Term, Unit
from vsm.exchange.institutions.queries import name_of, organisation_ref
from vsm.exchange.people.models import Person
from vsm.exchange.people.rules import Role
from vsm.kit.actors import Actor
from vsm.kit.localized import LANGUAGES
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter

__all__ = ["Card", "Facet", "SearchPage", "search"]

# What people speak and classes work in beyond our own four.
SPOKEN_TOO = ("it", "de", "nl", "fil", "ja", "zh", "ar", "qu", "gn")

IMPORT_STATES = {
    ImportState.WAITING.value: (_("Waiting"), "info"),
    ImportState.RUNNING.value: (_("Running"), "info"),
    ImportState.DONE.value: (pgettext_lazy("import", "Done"), "good"),
    ImportState.FAILED.value: (_("Failed"), "bad"),
}
OUTCOMES = {
    "created": (_("New"), "good"),
    "updated": (_("Changed"), "info"),
    "unchanged": (_("Unchanged"), "neutral"),
    "refused": (_("Refused"), "bad"),
    "gone": (_("No longer in the file"), "warn"),
}


def title_of(record: Any) -> str:
    """The title of an opportunity, or of an offering's opportunity, in the reader's language."""
    return labels.in_reader(record.opportunity.title if isinstance(record, Offering) else record.title)


def opportunity_ref(opportunity: Any) -> Ref:
    return Ref("opportunity", opportunity.pk, title_of(opportunity))


def offering_ref(offering: Any) -> Ref:
    return Ref("offering", offering.pk, _offering_title(offering))


def category_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(entry.slug, labels.category_label(entry.slug)) for entry in rulebook.categories()]


def level_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return labels.choices_of(labels.LEVEL_LABELS)


def mode_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return labels.choices_of(labels.MODE_LABELS)


def bandwidth_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return labels.choices_of(labels.BANDWIDTH_LABELS)


def language_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(code, labels.language_label(code)) for code in LANGUAGES]


def spoken_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    """What people and classes speak: our own four, whatever their variety, and more."""
    return [(code, labels.language_label(code)) for code in (*(code.split("-")[0] for code in LANGUAGES), *SPOKEN_TOO)]


def cefr_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(level, level) for level in CEFR]


def credit_system_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(entry.slug, labels.credit_system_label(entry.slug)) for entry in rulebook.credit_systems()]


def weekday_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(str(number), str(label)) for number, label in enumerate(labels.WEEKDAY_LABELS)]


def unit_choices(record: Any, _actor: Actor) -> list[tuple[str, str]]:
    """The units of the organisation that offers."""
    organisation_id = record.pk if isinstance(record, Organisation) else record.organisation_id
    units = Unit.objects.filter(organisation_id=organisation_id)
    return [(str(unit.pk), f"{unit.code} · {labels.in_reader(unit.name)}") for unit in units]


def term_choices(record: Any, _actor: Actor) -> list[tuple[str, str]]:
    """The terms of the organisation that offers, newest first."""
    opportunity = record.opportunity if isinstance(record, Offering) else record
    terms = Term.objects.filter(organisation_id=opportunity.organisation_id)
    return [(str(term.pk), f"{term.code} · {labels.in_reader(term.name)}") for term in terms]


def instructor_choices(offering: Any, _actor: Actor) -> list[tuple[str, str]]:
    """Everybody who has the role of instructor at the host."""
    found = Person.objects.filter(
        memberships__role=Role.INSTRUCTOR, memberships__organisation_id=offering.opportunity.organisation_id, is_active=True
    ).distinct()
    return [(str(person.pk), person.name) for person in found]


def course_filter(path: str = "offering") -> Filter:
    """Those of one course: by its code, which people know, or by its offering's identifier, as programs do. `path` leads to the offering."""

    def apply(found: QuerySet[Any], value: str) -> QuerySet[Any]:
        try:
            return found.filter(**{path: UUID(value)})
        except ValueError:
            return found.filter(**{f"{path}__opportunity__code__iexact": value.strip()})

    return Filter("offering", _("Course (its code)"), apply, kind="text")


def meeting_lines(offering: Any) -> list[str]:
    """`Monday 09:00–10:50 Lecture`, on the host's clock."""
    return [
        f"{labels.WEEKDAY_LABELS[m.weekday]} {m.starts:%H:%M}–{m.ends:%H:%M} {m.label}".rstrip() for m in offering.meetings.all()
    ]


def terms_of_seats(hosts: Iterable[UUID | str]) -> Callable[[Offering], str]:
    """Offering of these hosts → the term for which an agreement counts its seats.

    That which the offering names; else the term of its host in which most of its days lie; else the half of the year in which it
    begins. Promises hold for each term: counted for none, the seats of all years together would use them up for ever.
    """
    calendars: dict[UUID, list[Term]] = defaultdict(list)
    for term in Term.objects.filter(organisation__in=set(hosts)).order_by("starts_on", "code"):
        calendars[term.organisation_id].append(term)

    def term_of(offering: Offering) -> str:
        if offering.term or offering.term_code:
            return offering.term.code if offering.term else offering.term_code
        shared = [(_days_shared(term, offering), term.code) for term in calendars[offering.opportunity.organisation_id]]
        most, code = max(shared, key=lambda pair: pair[0], default=(0, ""))
        return code if most > 0 else f"{offering.starts_on.year}-{1 if offering.starts_on.month <= 6 else 2}"

    return term_of


def _days_shared(term: Term, offering: Offering) -> int:
    return (min(term.ends_on, offering.ends_on) - max(term.starts_on, offering.starts_on)).days + 1


def _offering_title(offering: Any) -> str:
    return f"{title_of(offering)} · {offering.code}"


def _institution_choices(_actor: Actor) -> list[tuple[str, str]]:
    found = Organisation.objects.filter(pk__in=Opportunity.objects.values("organisation_id"))
    return sorted(((str(o.pk), name_of(o)) for o in found), key=lambda pair: pair[1])


def _term_codes(_actor: Actor) -> list[tuple[str, str]]:
    codes = Offering.objects.exclude(term_code="").order_by("-term_code").values_list("term_code", flat=True).distinct()[:100]
    return [(code, code) for code in codes]


def _of_institution(path: str) -> Any:
    def apply(found: Any, value: str) -> Any:
        try:
            return found.filter(**{path: UUID(value)})
        except ValueError:
            return found.none()

    return apply


def _language_filter(path: str) -> Filter:
    return Filter(
        "language", _("Language of teaching"), lambda found, value: found.filter(**{f"{path}language": value}),
        choices=lambda _actor: language_choices(),
    )  # fmt: skip


def _level_filter(path: str) -> Filter:
    return Filter("level", _("Level"), lambda found, value: found.filter(**{f"{path}level": value}), choices=lambda _actor: level_choices())


def _category_filter(path: str) -> Filter:
    return Filter(
        "category", _("Category"), lambda found, value: found.filter(**{f"{path}category": value}), choices=lambda _actor: category_choices()
    )


def _credits(opportunity: Any) -> str:
    return labels.credits_text(opportunity.credits, opportunity.credits_high, opportunity.credit_values, opportunity.credit_system)


OPPORTUNITY = resource(
    Resource(
        "opportunity", "opportunities", Opportunity, _("Opportunity"), _("Opportunities"), title_of,
        fields=(
            Shown("code", _("Code"), lambda o: o.code, listed=True, sort="code"),
            Shown("name", _("Title"), lambda o: o.title, "localized", listed=True),
            Shown("organisation", _("Institution"), lambda o: organisation_ref(o.organisation), "ref", listed=True, sort="organisation__schac"),
            Shown("state", _("State"), lambda o: o.state, "state", listed=True, sort="state"),
            Shown("category", _("Category"), lambda o: o.category, words=labels.category_label),
            Shown("level", _("Level"), lambda o: o.level, listed=True, sort="level", words=labels.LEVEL_LABELS),
            Shown("language", _("Language of teaching"), lambda o: o.language, "language", listed=True, sort="language"),
            Shown("cefr", _("Least level of that language (CEFR)"), lambda o: o.cefr),
            Shown("credits", _("Credits"), lambda o: o.credits, "number", listed=True, sort="credits", detail=False),
            Shown("credits_high", _("Most credits"), lambda o: o.credits_high, "number", detail=False),
            Shown("credit_values", _("The only amounts"), lambda o: o.credit_values, "list", detail=False),
            Shown("credit_system", _("Credit system"), lambda o: o.credit_system, detail=False),
            Shown("credits_told", _("Credits"), _credits),
            Shown("workload_hours", _("Hours of work in all"), lambda o: o.workload_hours, "number"),
            Shown("isced_f", _("Field of study (ISCED-F)"), lambda o: o.isced_f, words=labels.field_label),
            Shown("subject", _("Subject at the host"), lambda o: o.subject),
            Shown("unit", _("Unit"), lambda o: Ref("unit", o.unit.pk, labels.in_reader(o.unit.name)) if o.unit else None, "ref"),
            Shown("description", _("Description"), lambda o: o.description, "localized"),
            Shown("learning_outcomes", _("Learning outcomes"), lambda o: o.learning_outcomes, "localized"),
            Shown("prerequisites", _("Prerequisites"), lambda o: o.prerequisites, "localized"),
            Shown("assessment", _("Assessment"), lambda o: o.assessment, "localized"),
            Shown("accessibility", _("Accessibility"), lambda o: o.accessibility, "localized"),
            Shown("source", _("Imported from"), lambda o: o.source),
        ),
        filters=(
            state_filter(labels.STATE_LABELS),
            Filter("institution", _("Institution"), _of_institution("organisation_id"), choices=_institution_choices),
            _category_filter(""), _level_filter(""), _language_filter(""),
        ),
        order="code", related=("organisation", "unit"), states=labels.STATE_LABELS,
        sections=(Section(_("Offerings"), "offering", lambda o: {"opportunity": o}),),
        starts=(("organisation", "add_opportunity"), ("organisation", "import_catalogue")),
        empty=_("No opportunities yet. Add one, or import a catalogue."),
    )
)  # fmt: skip

# The address of the meeting room is not here: it is for those who take part, and the pages of the sessions show it to them.
OFFERING = resource(
    Resource(
        "offering", "offerings", Offering, _("Offering"), _("Offerings"), _offering_title,
        fields=(
            Shown("name", _("Title"), lambda o: o.opportunity.title, "localized", listed=True),
            Shown("code", _("Code"), lambda o: o.code, listed=True, sort="code"),
            Shown("opportunity", _("Opportunity"), lambda o: opportunity_ref(o.opportunity), "ref"),
            Shown("institution", _("Institution"), lambda o: organisation_ref(o.opportunity.organisation), "ref", listed=True, sort="opportunity__organisation__schac"),
            Shown("state", _("State"), lambda o: o.state, "state", listed=True, sort="state"),
            Shown("starts_on", _("Starts"), lambda o: o.starts_on, "date", listed=True, sort="starts_on"),
            Shown("ends_on", _("Ends"), lambda o: o.ends_on, "date", listed=True, sort="ends_on"),
            Shown("term", _("Term"), lambda o: o.term_code),
            Shown("seats", _("Seats"), lambda o: o.seats, "integer", listed=True, sort="seats"),
            Shown("mode", _("How it meets"), lambda o: o.mode, listed=True, sort="mode", words=labels.MODE_LABELS),
            Shown("bandwidth", _("Connection"), lambda o: o.bandwidth, words=labels.BANDWIDTH_LABELS),
            Shown("zone", _("Time zone of the host"), lambda o: o.zone, "zone"),
            Shown("meetings", _("Weekly meetings, on the host's clock"), meeting_lines, "list"),
            Shown("instructors", _("Instructors"), lambda o: [person.name for person in o.instructors.all()], "list"),
            Shown("drop_by", _("Drop without trace until"), lambda o: o.drop_by, "date"),
            Shown("withdraw_by", _("Withdraw until"), lambda o: o.withdraw_by, "date"),
            Shown("source", _("Imported from"), lambda o: o.source),
        ),
        filters=(
            state_filter(labels.STATE_LABELS),
            Filter("institution", _("Institution"), _of_institution("opportunity__organisation_id"), choices=_institution_choices),
            Filter("term", _("Term"), lambda found, value: found.filter(term_code=value), choices=_term_codes),
            Filter("mode", _("How it meets"), lambda found, value: found.filter(mode=value), choices=lambda _actor: mode_choices()),
            _category_filter("opportunity__"), _level_filter("opportunity__"), _language_filter("opportunity__"),
        ),
        order="-starts_on", related=("opportunity__organisation", "term"), prefetch=("meetings", "instructors"), states=labels.STATE_LABELS,
        empty=_("No offerings yet. Open an opportunity to say when it runs."),
    )
)  # fmt: skip

IMPORT = resource(
    Resource(
        "import", "imports", Import, _("Import"), _("Imports"), lambda i: i.file_name,
        fields=(
            Shown("file_name", _("File"), lambda i: i.file_name, listed=True, sort="file_name"),
            Shown("organisation", _("Institution"), lambda i: organisation_ref(i.organisation), "ref", listed=True, sort="organisation__schac"),
            Shown("state", _("State"), lambda i: i.state, "state", listed=True, sort="state"),
            Shown("dry_run", _("Trial only"), lambda i: i.dry_run, "bool", listed=True, sort="dry_run"),
            Shown("source", _("Mapping"), lambda i: i.source, listed=True, sort="source"),
            Shown("created_at", _("Started"), lambda i: i.created_at, "moment", listed=True, sort="created_at"),
            Shown("finished_at", _("Finished"), lambda i: i.finished_at, "moment"),
            Shown("progress", _("Lines done"), lambda i: i.progress, "integer", detail=False),
            Shown("total", _("Lines"), lambda i: i.total, "integer"),
            Shown("counts", _("Counts"), lambda i: i.counts, "json", detail=False),
            Shown("withdraw_gone", _("Withdraw what is gone"), lambda i: i.withdraw_gone, "bool"),
            Shown("digest", _("Fingerprint of the file (SHA-256)"), lambda i: i.file_digest, "digest"),
        ),
        filters=(
            state_filter(IMPORT_STATES),
            Filter("institution", _("Institution"), _of_institution("organisation_id"), choices=_institution_choices),
        ),
        related=("organisation",), states=IMPORT_STATES, starts=(("organisation", "import_catalogue"),),
        empty=_("Nothing has been imported yet."),
    )
)  # fmt: skip
