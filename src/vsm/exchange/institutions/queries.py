"""What doors read about organisations."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from vsm.exchange.institutions.models import Hub, Organisation, Term, Unit
from vsm.exchange.institutions.rules import teaches
from vsm.kit.actors import ANONYMOUS, Actor
from vsm.kit.localized import LANGUAGES, text_in
from vsm.kit.names import countries, country_name, language_name
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource
from vsm.rulebook import credit_systems, grade_scales

KINDS = {"university": _("University"), "host": _("Host organisation"), "network": _("Network")}


def kind_choices(_record: Any = None, _actor: Actor | None = None) -> list[tuple[str, str]]:
    return [(code, str(word)) for code, word in KINDS.items()]


def language_choices(_record: Any = None, _actor: Actor | None = None) -> list[tuple[str, str]]:
    """The languages that texts are kept in, by their names."""
    return [(code, language_name(code, get_language() or "en")) for code in LANGUAGES]


def organisation_ref(organisation: Any) -> Ref:
    return Ref("organisation", organisation.pk, name_of(organisation))


def name_of(organisation: Any) -> str:
    """The name in the reader's language."""
    return text_in(organisation.name, get_language() or "en")


def organisation_choices(_record: Any, actor: Actor) -> list[tuple[str, str]]:
    return _choices(Organisation.objects.visible_to(actor))


def university_choices(record: Any, actor: Actor) -> list[tuple[str, str]]:
    """Where somebody can study: neither companies that take trainees nor networks, nor the institution whose form it is (`record`; None: all)."""
    return _choices(Organisation.objects.visible_to(actor).filter(kind="university").exclude(pk=getattr(record, "pk", None)))


def partner_choices(record: Any, actor: Actor) -> list[tuple[str, str]]:
    """Whoever can promise seats (`rules.teaches`): universities and networks, without the institution whose form it is."""
    return _choices(each for each in Organisation.objects.visible_to(actor).exclude(pk=getattr(record, "pk", None)) if teaches(each))


def _choices(organisations: Iterable[Any]) -> list[tuple[str, str]]:
    return sorted(((str(each.pk), name_of(each)) for each in organisations), key=lambda pair: pair[1])


def country_choices(_actor: Actor) -> list[tuple[str, str]]:
    language = get_language() or "en"
    codes = Organisation.objects.order_by("country").values_list("country", flat=True).distinct()
    return sorted(((code, country_name(code, language)) for code in codes), key=lambda pair: pair[1])


def every_country(_record: Any, _actor: Actor) -> list[tuple[str, str]]:
    """Every country as a form offers it: code and name, in the order of the names."""
    return countries(get_language() or "en")


HUB = resource(
    Resource(
        "hub", "hubs", Hub, _("This installation"), _("This installation"), lambda hub: hub.name,
        fields=(
            Shown("name", _("Name"), lambda h: h.name, listed=True),
            Shown("contact", _("Contact"), lambda h: h.contact, listed=True),
        ),
    )
)  # fmt: skip

ORGANISATION = resource(
    Resource(
        "organisation", "organisations", Organisation, _("Organisation"), _("Institutions"), name_of,
        fields=(
            Shown("name", _("Name"), lambda o: o.name, "localized", listed=True, sort="schac"),
            Shown("kind", _("Kind"), lambda o: o.kind, listed=True, sort="kind", words=KINDS),
            Shown("country", _("Country"), lambda o: o.country, "country", listed=True, sort="country"),
            Shown("city", _("City"), lambda o: o.city, listed=True, sort="city"),
            Shown("zone", _("Time zone"), lambda o: o.zone, "zone", listed=True, sort="zone"),
            Shown("schac", _("SCHAC code"), lambda o: o.schac),
            Shown("ror", _("ROR"), lambda o: o.ror),
            Shown("languages", _("Languages"), lambda o: o.languages, "languages"),
            Shown("credit_system", _("Credit system"), lambda o: o.credit_system, words=lambda code: dict(credit_system_choices(None, ANONYMOUS)).get(code, code)),
            Shown("grade_scale", _("Grade scale"), lambda o: o.grade_scale, words=lambda code: dict(grade_scale_choices(None, ANONYMOUS)).get(code, code)),
            Shown("website", _("Website"), lambda o: o.website),
            Shown("contact", _("Contact"), lambda o: o.contact),
            Shown("about", _("About"), lambda o: o.about, "localized"),
        ),
        filters=(
            Filter("kind", _("Kind"), lambda found, value: found.filter(kind=value), choices=lambda _actor: [(kind, str(label)) for kind, label in KINDS.items()]),
            Filter("country", _("Country"), lambda found, value: found.filter(country=value), choices=country_choices),
        ),
        order="schac", starts=(("hub", "add_organisation"),),
        sections=(
            Section(_("Units"), "unit", lambda o: {"organisation": o}),
            Section(_("Terms"), "term", lambda o: {"organisation": o}),
        ),
    )
)  # fmt: skip

UNIT = resource(
    Resource(
        "unit", "units", Unit, _("Unit"), _("Units"), lambda unit: text_in(unit.name, get_language() or "en"),
        fields=(
            Shown("code", _("Code"), lambda u: u.code, listed=True, sort="code"),
            Shown("name", _("Name"), lambda u: u.name, "localized", listed=True),
            Shown("organisation", _("Organisation"), lambda u: organisation_ref(u.organisation), "ref", listed=True),
        ),
        order="code", related=("organisation",),
    )
)  # fmt: skip

TERM = resource(
    Resource(
        "term", "terms", Term, _("Term"), _("Terms"), lambda term: text_in(term.name, get_language() or "en"),
        fields=(
            Shown("code", _("Code"), lambda t: t.code, listed=True, sort="code"),
            Shown("name", _("Name"), lambda t: t.name, "localized", listed=True),
            Shown("organisation", _("Organisation"), lambda t: organisation_ref(t.organisation), "ref", listed=True),
            Shown("starts_on", _("Starts"), lambda t: t.starts_on, "date", listed=True, sort="starts_on"),
            Shown("ends_on", _("Ends"), lambda t: t.ends_on, "date", listed=True, sort="ends_on"),
        ),
        order="-starts_on", related=("organisation",),
    )
)  # fmt: skip


def credit_system_choices(_record: Any, _actor: Actor) -> list[tuple[str, str]]:
    return [(entry.slug, text_in(entry.name, get_language() or "en")) for entry in credit_systems()]


def grade_scale_choices(_record: Any, _actor: Actor) -> list[tuple[str, str]]:
    return [(entry.slug, text_in(entry.name, get_language() or "en")) for entry in grade_scales()]
