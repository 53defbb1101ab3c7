"""What doors read about partner wishes, invitations and fairs."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue.labels import (
    BANDWIDTH_LABELS,
    FIELD_LABELS,
    LEVEL_LABELS,
    WEEKDAY_LABELS,
    field_label,
)
from vsm.exchange.catalogue.queries import spoken_choices
from vsm.exchange.collaborations.matching import Match, compare
from vsm.exchange.collaborations.models import FairEntry, PartnerFair, PartnerInvitation, PartnerWish
from vsm.exchange.collaborations.states import FairState, InvitationState, WishState
from vsm.exchange.institutions.queries import country_choices, name_of, organisation_ref
from vsm.exchange.people.queries import language_level_told, language_levels
from vsm.exchange.people.rules import CEFR, NATIVE, cefr_at_least
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter
from vsm.kit.saying import say

WISH_STATES = {
    "draft": (_("Draft"), "neutral"), "published": (_("Looking for a partner"), "good"), "matched": (pgettext_lazy("partner_wish", "Matched"), "info"),
    "closed": (_("Closed"), "neutral"),
}  # fmt: skip
INVITATION_STATES = {
    "sent": (_("Waiting for an answer"), "warn"), "accepted": (pgettext_lazy("partner_invitation", "Accepted"), "good"), "declined": (pgettext_lazy("partner_invitation", "Declined"), "bad"),
    "withdrawn": (pgettext_lazy("partner_invitation", "Withdrawn"), "neutral"), "expired": (pgettext_lazy("partner_invitation", "Expired"), "neutral"), "superseded": (pgettext_lazy("partner_invitation", "Overtaken by another match"), "neutral"),
}  # fmt: skip
FAIR_STATES = {"open": (pgettext_lazy("partner_fair", "Open"), "good"), "proposed": (_("Pairs proposed"), "warn"), "announced": (pgettext_lazy("partner_fair", "Announced"), "info")}


def reader() -> str:
    return get_language() or "en"


def title_of(record: Any) -> str:
    return text_in(record.title, reader())


def wish_ref(wish: Any) -> Ref:
    return Ref("partner_wish", wish.pk, f"{title_of(wish)} · {name_of(wish.organisation)}")


def level_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(level, say(level)) for level in (*CEFR, NATIVE)]


def field_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    """The narrow fields of ISCED-F 2013; a detailed field lies in one of them."""
    from vsm.rulebook.isced_f import isced_fields

    return [(each.code, f"{each.code} · {text_in(each.name, reader())}") for each in isced_fields() if len(each.code) == 3]


def looking(now_on: date) -> Any:
    """Published wishes whose time has not passed."""
    return PartnerWish.objects.filter(state=WishState.PUBLISHED, ends_on__gte=now_on).select_related("organisation", "teacher")


def matches_of(wish: PartnerWish, on: date) -> list[tuple[PartnerWish, Match]]:
    """Every wish that this one could pair with today, best first; what cannot be is left out."""
    mine = wish.facts
    others = looking(on).exclude(organisation_id=wish.organisation_id).filter(starts_on__lte=wish.ends_on, ends_on__gte=wish.starts_on)
    found = [(other, compare(mine, other.facts)) for other in others]
    return sorted(((other, match) for other, match in found if not match.obstacles), key=lambda pair: (-pair[1].score, str(pair[0].pk)))


def partner_choices(wish: Any, _actor: Actor) -> list[tuple[str, str]]:
    """The wishes that can be invited, best first, with their score."""
    from vsm.kit import clock

    on = clock.now().date()
    return [(str(other.pk), f"{match.score} · {title_of(other)} · {name_of(other.organisation)}") for other, match in matches_of(wish, on)]


def entry_choices(entry: Any, _actor: Actor) -> list[tuple[str, str]]:
    """The other wishes of the fair that this one could pair with, best first."""
    mine = entry.wish.facts
    others = [each.wish for each in entry.fair.entries.exclude(pk=entry.pk).select_related("wish__organisation")]
    scored = sorted(((compare(mine, other.facts).score, other) for other in others), key=lambda pair: (-pair[0], str(pair[1].pk)))
    return [(str(other.pk), f"{score} · {title_of(other)} · {name_of(other.organisation)}") for score, other in scored if score]


def fair_choices(_record: Any, _actor: Actor) -> list[tuple[str, str]]:
    return [(str(fair.pk), f"{title_of(fair)} · {name_of(fair.organisation)}") for fair in PartnerFair.objects.filter(state=FairState.OPEN).select_related("organisation")]


def open_invitations(wishes: Iterable[Any]) -> Any:
    """Those still waiting for an answer in which one of these wishes stands on either side."""
    ids = [wish.pk for wish in wishes]
    return PartnerInvitation.objects.filter(Q(wish__in=ids) | Q(partner__in=ids), state=InvitationState.SENT)


def window_lines(wish: Any) -> list[str]:
    """`Monday 14:00–18:00`, on the class's own wall."""
    return [f"{WEEKDAY_LABELS[day]} {starts}–{ends}" for day, starts, ends in wish.windows]


def _off_lines(wish: Any) -> list[str]:
    mondays = [date.fromisoformat(day) for day in wish.weeks_off]
    return [f"{day.isoformat()} – {(day + timedelta(days=4)).isoformat()}" for day in mondays]


def _with_language(found: Any, value: str) -> Any:
    """`en` or `en:B2`: classes that have the language, at least at that level."""
    code, _colon, level = value.partition(":")
    named = [pk for pk, languages in found.values_list("pk", "languages") if code in languages and cefr_at_least(languages[code], level)]
    return found.filter(pk__in=named)


def _language_filter_choices(_actor: Actor) -> list[tuple[str, str]]:
    return [pair for code, label in spoken_choices() for pair in ((code, label), (f"{code}:B2", f"{label} ≥ B2"))]


PARTNER_WISH = resource(
    Resource(
        "partner_wish", "partner-wishes", PartnerWish, _("Partner wish"), _("Partner wishes"), title_of,
        fields=(
            Shown("title", _("Title"), lambda w: w.title, "localized", listed=True),
            Shown("organisation", _("Institution"), lambda w: organisation_ref(w.organisation), "ref", listed=True, sort="organisation__schac"),
            Shown("country", _("Country"), lambda w: w.organisation.country, "country", sort="organisation__country"),
            Shown("teacher", _("Teacher"), lambda w: w.teacher.name),
            Shown("state", _("State"), lambda w: w.state, "state", listed=True, sort="state"),
            Shown("topic", _("Topic"), lambda w: w.topic, "localized"),
            Shown("isced_f", _("Field (ISCED-F)"), lambda w: w.isced_f, listed=True, sort="isced_f", words=field_label),
            Shown("level", _("Level"), lambda w: w.level, sort="level", words=LEVEL_LABELS),
            Shown("languages", _("Languages (CEFR)"), lambda w: language_levels(w.languages), "list", listed=True, words=language_level_told),
            Shown("starts_on", _("Teaches from"), lambda w: w.starts_on, "date", listed=True, sort="starts_on"),
            Shown("ends_on", _("Teaches until"), lambda w: w.ends_on, "date", sort="ends_on"),
            Shown("weeks_off", _("Weeks without teaching"), _off_lines, "list"),
            Shown("calendar", _("About the academic calendar"), lambda w: w.calendar, "long_text"),
            Shown("weeks", _("Weeks wanted"), lambda w: w.weeks, "integer", listed=True, sort="weeks"),
            Shown("class_size", _("Students"), lambda w: w.class_size, "integer", listed=True, sort="class_size"),
            Shown("hours", _("Hours for each student"), lambda w: w.hours, "integer", sort="hours"),
            Shown("zone", _("Time zone"), lambda w: w.zone, "zone", sort="zone"),
            Shown("windows", _("Possible meeting hours (own time)"), window_lines, "list"),
            Shown("tools", _("Tools"), lambda w: w.tools, "list"),
            Shown("bandwidth", _("Connection"), lambda w: w.bandwidth, words=BANDWIDTH_LABELS),
            Shown("published_at", _("Published"), lambda w: w.published_at, "moment", sort="published_at"),
        ),
        filters=(
            state_filter(WISH_STATES),
            Filter("field", _("Field of study"), lambda found, value: found.filter(isced_f__startswith=value), choices=lambda _actor: [(code, str(label)) for code, label in FIELD_LABELS.items()]),
            Filter("language", _("Language"), _with_language, choices=_language_filter_choices),
            Filter("country", _("Country"), lambda found, value: found.filter(organisation__country=value), choices=country_choices),
            Filter("level", _("Level"), lambda found, value: found.filter(level=value), choices=lambda _actor: [(level, str(label)) for level, label in LEVEL_LABELS.items()]),
            Filter("from", _("Teaches on this day"), lambda found, value: found.filter(starts_on__lte=date.fromisoformat(value), ends_on__gte=date.fromisoformat(value)), kind="date"),
            Filter("bandwidth", _("Connection"), lambda found, value: found.filter(bandwidth=value), choices=lambda _actor: [(slug, str(label)) for slug, label in BANDWIDTH_LABELS.items()]),
        ),
        related=("organisation", "teacher"), states=WISH_STATES, starts=(("organisation", "write_wish"),),
        empty=_("No teacher is looking for a partner class with these words."),
    )
)  # fmt: skip

PARTNER_INVITATION = resource(
    Resource(
        "partner_invitation", "partner-invitations", PartnerInvitation, _("Invitation to an exchange"), _("Invitations to exchanges"),
        lambda i: f"{title_of(i.wish)} → {title_of(i.partner)}",
        fields=(
            Shown("wish", _("Who invites"), lambda i: wish_ref(i.wish), "ref", listed=True),
            Shown("partner", _("Who is invited"), lambda i: wish_ref(i.partner), "ref", listed=True),
            Shown("score", _("Fit (of 100)"), lambda i: i.score, "integer", listed=True, sort="score"),
            Shown("state", _("State"), lambda i: i.state, "state", listed=True, sort="state"),
            Shown("respond_by", _("Answer until"), lambda i: i.respond_by, "moment", listed=True, sort="respond_by"),
            Shown("message", _("Message"), lambda i: i.message, "long_text"),
            Shown("from_teacher", _("Teacher who invites"), lambda i: i.wish.teacher.name),
            Shown("to_teacher", _("Teacher who is invited"), lambda i: i.partner.teacher.name),
            Shown("answered_at", _("Answered"), lambda i: i.answered_at, "moment"),
            Shown("because", _("Why"), lambda i: i.because, "long_text"),
            Shown("parts", _("Parts of the score"), lambda i: i.parts, "json", detail=False),
        ),
        filters=(state_filter(INVITATION_STATES),),
        related=("wish__organisation", "wish__teacher", "partner__organisation", "partner__teacher"), states=INVITATION_STATES,
        empty=_("Nobody has invited or been invited yet. Open one of your wishes: it lists who fits best."),
    )
)  # fmt: skip

PARTNER_FAIR = resource(
    Resource(
        "partner_fair", "partner-fairs", PartnerFair, _("Partner fair"), _("Partner fairs"), title_of,
        fields=(
            Shown("title", _("Title"), lambda f: f.title, "localized", listed=True),
            Shown("organisation", _("Organised by"), lambda f: organisation_ref(f.organisation), "ref", listed=True, sort="organisation__schac"),
            Shown("state", _("State"), lambda f: f.state, "state", listed=True, sort="state"),
            Shown("closes_at", _("Ranks until"), lambda f: f.closes_at, "moment", listed=True, sort="closes_at"),
            Shown("seed", _("Seed of the tie-breaks"), lambda f: f.seed, "digest"),
            Shown("announced_at", _("Announced"), lambda f: f.announced_at, "moment"),
        ),
        filters=(state_filter(FAIR_STATES),),
        related=("organisation",), states=FAIR_STATES, starts=(("organisation", "open_fair"),),
        sections=(Section(_("Wishes at this fair"), "fair_entry", lambda f: {"fair": f}),),
        empty=_("No network holds a partner fair at the moment."),
    )
)  # fmt: skip

FAIR_ENTRY = resource(
    Resource(
        "fair_entry", "fair-entries", FairEntry, _("Wish at a fair"), _("Wishes at fairs"), lambda e: f"{title_of(e.wish)} · {title_of(e.fair)}",
        fields=(
            Shown("wish", _("Partner wish"), lambda e: wish_ref(e.wish), "ref", listed=True),
            Shown("fair", _("Partner fair"), lambda e: Ref("partner_fair", e.fair_id, title_of(e.fair)), "ref", listed=True),
            Shown("ranked", _("Ranked"), lambda e: len(e.ranked), "integer", listed=True),
        ),
        related=("wish__organisation", "wish__teacher", "fair__organisation"),
    )
)  # fmt: skip
