"""How facts are shown: in the reader's language, in the reader's zone with the zone named, and never by colour alone.

`{{ cell.value|shown:cell.kind }}` shows a fact of any kind. It is Python rather than a template because a list page
shows some two hundred of them, and a call is cheaper than an `{% include %}`.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import conditional_escape, format_html, format_html_join, linebreaks
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, to_locale

from vsm import rulebook
from vsm.kit.localized import text_and_language
from vsm.kit.names import country_name, language_name
from vsm.kit.saying import colon, day_and_hour, day_text, local_time, moment_text, offset_text

register = template.Library()
# As plain text, for an attribute or a letter.
register.filter("moment_text", moment_text)

TONES = ("neutral", "info", "good", "warn", "bad")
TONE_SYNONYMS = {"primary": "info", "success": "good", "warning": "warn", "error": "bad", "danger": "bad"}
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")

# Currencies of the hub's regions that have no minor unit (ISO 4217, list one, column "minor unit" = 0).
WHOLE_CURRENCIES = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"]
)

# Drawn on a 24 × 24 grid with a 2-unit round stroke.
ICONS = {
    "check": "M5 12.5 10 17.5 19 7",
    "cross": "M6 6 18 18M18 6 6 18",
    "info": "M12 11v6M12 7.2v.1M12 2.5a9.5 9.5 0 1 0 0 19a9.5 9.5 0 1 0 0-19",
    "alert": "M12 9v5M12 17.2v.1M12 3 22 20.5H2Z",
    "stop": "M12 7v6M12 16.6v.1M8 2.5h8L21.5 8v8L16 21.5H8L2.5 16V8Z",
    "clock": "M12 7v5.5l3.5 2M12 2.5a9.5 9.5 0 1 0 0 19a9.5 9.5 0 1 0 0-19",
    "globe": "M2.5 12h19M12 2.5c6 5.5 6 13.5 0 19c-6-5.5-6-13.5 0-19M12 2.5a9.5 9.5 0 1 0 0 19a9.5 9.5 0 1 0 0-19",
    "down": "M12 4v12M6.5 11 12 16.5 17.5 11M4 20.5h16",
    "next": "M5 12h14M13 6l6 6-6 6",
}
# A tag, a stroke inside the name of a zone, or a word whose hyphen is followed by a number.
BREAKABLE = re.compile(r"(?P<tag><[^>]*>)|(?P<stroke>(?<=[a-z])/(?=[A-Z]))|(?<![\w-])[^\W\d_]{2,}-\d+(?![\w-])")
NOTICE_ICONS = {"neutral": "info", "info": "info", "good": "check", "warn": "alert", "bad": "stop"}


# Text -----------------------------------------------------------------------------------------------------------------


@register.filter
def localized(texts: Mapping[str, str] | str | None) -> SafeString:
    """The text in the reader's language; a fallback carries `lang` so that a screen reader changes its voice."""
    wanted = get_language() or "en"
    text, language = text_and_language(texts, wanted)
    if not text or language == wanted:
        return format_html("{}", text)
    return format_html('<span lang="{}">{}</span>', language_tag(language), text)


@register.filter
def cited(source: Any) -> str:
    """A source of the rulebook, or what a record keeps of one, in the reader's language."""
    return rulebook.cited(str(source), get_language() or "en") if isinstance(source, str) else source.told(get_language() or "en")


@register.filter
def unbroken(markup: str) -> SafeString:
    """What a heading says, with names such as COVID-19 kept on one line: browsers break after any hyphen, and a hyphen of another
    kind would be found by no search. The name of a zone breaks after its stroke. Tags stay as they are."""

    def well(found: re.Match[str]) -> str:
        if found["tag"]:
            return found[0]
        return "/<wbr>" if found["stroke"] else f'<span class="unbroken">{found[0]}</span>'

    return SafeString(BREAKABLE.sub(well, conditional_escape(markup)))


@register.filter
def language_tag(code: str) -> str:
    """Django's `pt-br` as the web writes it: `pt-BR` (BCP 47)."""
    return to_locale(code).replace("_", "-")


@register.filter
def parted(zone: str) -> SafeString:
    """`America/Montevideo`, which may go on in a new line after its stroke and so need not be broken inside a name."""
    return format_html_join(SafeString("/<wbr>"), "{}", ((part,) for part in zone.split("/")))


@register.filter
def number(value: float | Decimal | str | None) -> str:
    """A number with the separators of the reader's language; digits after the point stay as given. A mark that is none stays ("A")."""
    if value is None or value == "":
        return ""
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        return value
    return str(number_format(value, use_l10n=True, force_grouping=True))


@register.filter
def money(value: object) -> str:
    """`{amount, currency}`: whole minor units and an ISO 4217 code, as `1,250.00 EUR`."""
    amount, currency = int(_part(value, "amount") or 0), str(_part(value, "currency") or "")
    if currency not in WHOLE_CURRENCIES:
        return f"{number_format(Decimal(amount) / 100, decimal_pos=2, use_l10n=True, force_grouping=True)} {currency}"
    return f"{number(amount)} {currency}"


# Time -----------------------------------------------------------------------------------------------------------------


@register.filter
def moment(value: datetime | None) -> SafeString:
    """An aware datetime in the reader's zone, the zone named in visible text."""
    if value is None:
        return SafeString("")
    return format_html(
        '<time datetime="{}">{}</time> <span class="zone">({})</span>', local_time(value).isoformat(), day_and_hour(value), _zone()
    )


@register.filter
def day(value: date | None) -> SafeString:
    """A calendar date, which belongs to no zone: `3 Mar 2027`."""
    if value is None:
        return SafeString("")
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), day_text(value))


@register.filter
def when(value: object) -> SafeString:
    """A moment, a date or words, whichever it is."""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return day(value)
    return format_html("{}", "" if value is None else value)


@register.simple_tag
def hours(starts: datetime, ends: datetime) -> SafeString:
    """The hours of one meeting under the heading of its day; the zone is named beside it."""
    start, end = local_time(starts), local_time(ends)
    return _hours(start, f"{start:%H:%M}", end, f"{end:%H:%M}", "–")


@register.simple_tag
def period(starts: date | None, ends: date | None) -> SafeString:
    """From and to, without repeating what both share. Two moments name their zone once."""
    if starts is None or ends is None:
        return when(starts or ends)
    if not isinstance(starts, datetime) or not isinstance(ends, datetime):
        first = day_text(starts, year=starts.year != ends.year)
        return _span(starts, first, ends, day_text(ends), " – ")
    start, end = local_time(starts), local_time(ends)
    if start.date() == end.date():
        times = _hours(start, day_and_hour(start), end, f"{end:%H:%M}", "–")
    else:
        times = _hours(start, day_and_hour(start), end, day_and_hour(end), " – ")
    return format_html('{} <span class="zone">({})</span>', times, _zone())


# Marks ----------------------------------------------------------------------------------------------------------------


@register.simple_tag
def pill(label: str, tone: str = "neutral") -> SafeString:
    """A state: always words, the tone only underlines them."""
    return format_html('<span class="tag tone-{}">{}</span>', _tone(tone), label)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A drawing beside words that say the same; hidden from screen readers."""
    path = ICONS[name]
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>', path
    )


register.simple_tag(colon)


@register.simple_tag
def notice_icon(kind: str) -> SafeString:
    return icon(NOTICE_ICONS[_tone(kind)])


@register.filter
def tone_of(name: str) -> str:
    """A tone by one of its names (Django's message levels and the actions' tones are synonyms)."""
    return _tone(name or "info")


# Questions a template asks --------------------------------------------------------------------------------------------


@register.filter
def within(path: str | None, section: str) -> bool:
    """Whether a page lies in a section; the home page is only itself."""
    if not path:
        return False
    return path == section or (section.count("/") > 1 and path.startswith(section))


@register.filter
def next_action(groups: Iterable[Any]) -> Any:
    """The one thing to do now: the first item, in the order given, that offers an action and is neither done nor another's turn."""
    items = (item for group in groups for item in _part(group, "items") or ())
    return next((item for item in items if _part(item, "url") and _part(item, "action_label") and _part(_part(item, "state") or {}, "tone") not in {"good", "info"}), None)


@register.filter
def share_of(value: float, rows: Sequence[Any]) -> str:
    """A row's share of the largest, in per cent for an SVG width (a point as separator in every language)."""
    largest = max((float(_part(row, "value") or 0) for row in rows), default=0.0)
    return f"{100 * float(value) / largest:.1f}" if largest > 0 else "0"


@register.filter
def any_checked(options: Iterable[Any]) -> bool:
    """Whether a facet is in use, so that it stands open."""
    return any(_part(option, "checked") for option in options)


@register.filter
def anchor(field: Any) -> str:
    """The id that a link to a form field leads to: the input, or the group when there are several."""
    return f"{field.auto_id}_group" if field.use_fieldset else str(field.id_for_label)


# Facts of any kind ----------------------------------------------------------------------------------------------------


@register.filter
def shown(value: Any, kind: str = "text") -> SafeString:
    """A fact as HTML by its kind; nothing is shown as a dash that is read aloud as "not given"."""
    if value is None or value == "" or value == [] or value == {}:
        return format_html('<span aria-hidden="true">—</span><span class="aloud">{}</span>', gettext("not given"))
    try:
        show = KINDS[kind]
    except KeyError:
        raise template.TemplateSyntaxError(f"No fact of kind {kind!r}: choose one of {', '.join(KINDS)}.") from None
    return show(value)


def _text(value: Any) -> SafeString:
    return format_html("{}", value)


def _long_text(value: Any) -> SafeString:
    return SafeString(linebreaks(str(value), autoescape=True))


def _number(value: Any) -> SafeString:
    # A column of the database has digits after the point that say nothing: 60.00 credits are 60.
    told = f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, Decimal) and "." in f"{value:f}" else value
    return format_html('<span class="number">{}</span>', number(told))


def _money(value: Any) -> SafeString:
    return format_html('<span class="number">{}</span>', money(value))


def _state(value: Any) -> SafeString:
    return pill(str(_part(value, "label")), str(_part(value, "tone") or "neutral"))


def _bool(value: Any) -> SafeString:
    name, css, words = ("check", "yes", gettext("Yes")) if value else ("cross", "no", gettext("No"))
    return format_html('<span class="{}">{} {}</span>', css, icon(name), words)


def _link(value: Any) -> SafeString:
    """`{url, label}`; without an address only the label."""
    if not _part(value, "url"):
        return _text(_part(value, "label"))
    return format_html('<a href="{}">{}</a>', _part(value, "url"), _part(value, "label") or _part(value, "url"))


def _people(value: Any) -> SafeString:
    people = [value] if isinstance(value, str | Mapping) else list(value)
    if len(people) == 1:
        return _person(people[0])
    rows = format_html_join("", "<li>{}</li>", ((_person(person),) for person in people))
    return format_html('<ul class="values">{}</ul>', rows)


def _person(person: Any) -> SafeString:
    if isinstance(person, str):
        return _text(person)
    name, url, role = _part(person, "name"), _part(person, "url"), _part(person, "role")
    shown_name = format_html('<a href="{}">{}</a>', url, name) if url else _text(name)
    return format_html('{} <span class="muted">{}</span>', shown_name, role) if role else shown_name


def _country(value: Any) -> SafeString:
    """An ISO 3166 code, or `{code, name}`, by its name in the reader's language."""
    code = _part(value, "code") or (value if isinstance(value, str) else "")
    return _text(_part(value, "name") or country_name(str(code), get_language() or "en"))


def _countries(value: Any) -> SafeString:
    return _list(map(_country, value))


def _language(value: Any) -> SafeString:
    """A language code by its name in the reader's language, else as it is."""
    return _text(language_name(str(value), get_language() or "en"))


def _languages(value: Any) -> SafeString:
    return _list(map(_language, value))


def _json(value: Any) -> SafeString:
    return format_html("<code>{}</code>", json.dumps(value, ensure_ascii=False, default=str))


def _list(value: Any) -> SafeString:
    items = format_html_join("", "<li>{}</li>", ((item,) for item in value))
    return format_html('<ul class="values">{}</ul>', items)


def _digest(value: Any) -> SafeString:
    text = str(value)
    if len(text) <= 16:
        return format_html('<span class="digest"><code>{}</code></span>', text)
    return format_html(
        '<details class="digest"><summary><code>{}…</code> <span class="aloud">{}</span></summary>'
        "<code>{}</code></details>",
        text[:12],
        gettext("show the whole fingerprint"),
        text,
    )


def _file(value: Any) -> SafeString:
    """`{url, name, size?, type?}`: the link says what will be downloaded before it costs anything."""
    about = [
        str(_part(value, "type") or "").upper(),
        filesizeformat(_part(value, "size")) if _part(value, "size") else "",
    ]
    facts = ", ".join(filter(None, about))
    link = format_html('<a href="{}" download>{} {}</a>', _part(value, "url"), icon("down"), _part(value, "name"))
    return format_html('{} <span class="muted">({})</span>', link, facts) if facts else link


KINDS: dict[str, Callable[[Any], SafeString]] = {
    "text": _text,
    "long_text": _long_text,
    "html": _text,  # markup that was sanitised arrives as a SafeString; anything else is escaped here
    "number": _number,
    "integer": _number,
    "date": day,
    "moment": moment,
    "state": _state,
    "bool": _bool,
    "link": _link,
    "ref": _link,
    "people": _people,
    "localized": localized,
    "country": _country,
    "countries": _countries,
    "money": _money,
    "language": _language,
    "languages": _languages,
    "zone": _text,
    "json": _json,
    "list": _list,
    "digest": _digest,
    "file": _file,
}


# Smaller parts --------------------------------------------------------------------------------------------------------


def _part(value: object, name: str) -> Any:
    """A part of a plain object or of a mapping, else None."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _tone(name: str) -> str:
    """One of `TONES`. An unknown name is shown neutral: a colour must not cost anybody the page."""
    tone = TONE_SYNONYMS.get(name, name)
    return tone if tone in TONES else "neutral"


def _zone() -> str:
    return timezone.get_current_timezone_name()


def _hours(start: datetime, first: str, end: datetime, last: str, dash: str) -> SafeString:
    """From and to; where the clock is changed during a meeting each end names its offset, for an hour occurs twice then."""
    if start.utcoffset() == end.utcoffset() or end - start > timedelta(days=1):
        return _span(start, first, end, last, dash)
    return _span(start, f"{first} {offset_text(start)}", end, f"{last} {offset_text(end)}", " – ")


def _span(start: date, first: str, end: date, last: str, dash: str) -> SafeString:
    return format_html(
        '<time datetime="{}">{}</time>{}<time datetime="{}">{}</time>',
        start.isoformat(),
        first,
        dash,
        end.isoformat(),
        last,
    )
