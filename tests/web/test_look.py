"""The look: colours that can be read, pages that hold no inline code, facts shown in the reader's language and zone."""

import gzip
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.contrib.messages import constants as levels
from django.template import Context, Engine, TemplateSyntaxError
from django.template.loader import get_template, render_to_string
from django.test import Client
from django.utils import timezone, translation
from django.utils.safestring import SafeString

from vsm.kit.saying import day_text, labelled, moment_text, offset_text, say_reason, wall_span
from vsm.kit.verdict import Reason
from vsm.web.gallery import samples
from vsm.web.templatetags import look

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "src" / "vsm" / "web"
CSS = WEB / "static" / "vsm" / "vsm.css"
SCRIPT = WEB / "static" / "vsm" / "vsm.js"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
GUIDE = ROOT / "docs" / "design.md"

BODY, TEXT, SHAPE = 7.0, 4.5, 3.0  # WCAG 2.2: 1.4.6 enhanced, 1.4.3 minimum, 1.4.11 non-text

# What stands on what: (token, its ground, least ratio).
PAIRS = [
    *((word, ground, BODY) for word in ("ink", "ink-soft") for ground in ("paper", "surface", "sunken")),
    *(("ink", ground, BODY) for ground in ("brand-soft", "info-soft", "good-soft", "warn-soft", "bad-soft")),
    *(("link", ground, TEXT) for ground in ("paper", "surface", "sunken", "brand-soft")),
    *((tone, ground, TEXT) for tone in ("info", "good", "warn", "bad") for ground in (f"{tone}-soft", "surface")),
    ("ink-soft", "brand-soft", TEXT),
    ("bad", "paper", TEXT),
    ("on-brand", "brand", BODY),
    ("on-brand", "brand-strong", BODY),
    ("on-bad", "bad", BODY),
    ("on-accent", "accent", TEXT),
    ("on-header", "header", BODY),
    ("on-header", "header-deep", BODY),
    ("on-header-soft", "header", BODY),
    ("on-header-soft", "header-deep", BODY),
    *(("line-strong", ground, SHAPE) for ground in ("paper", "surface")),
    *(("focus", ground, SHAPE) for ground in ("paper", "surface", "sunken", "brand-soft")),
    *(("focus-on-header", ground, SHAPE) for ground in ("header", "header-deep")),
    ("brand", "surface", SHAPE),
    ("brand", "paper", SHAPE),
    ("accent", "header", SHAPE),
]


# Colour ---------------------------------------------------------------------------------------------------------------


def tokens() -> dict[str, dict[str, str]]:
    """Each theme's colours; the dark one overrides the light one."""
    css = CSS.read_text("utf-8")
    light, dark = (
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\}", css, re.S)[:2]
    )
    return {"light": light, "dark": light | dark}


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two `#rrggbb` colours (WCAG 2.2, definitions of contrast ratio and relative luminance)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def measured() -> str:
    """The table of docs/design.md."""
    themes = tokens()
    rows = []
    for word, ground, least in PAIRS:
        light, dark = (contrast(themes[theme][word], themes[theme][ground]) for theme in ("light", "dark"))
        rows.append(f"| `{word}` on `{ground}` | {least:g} | {light:.1f} | {dark:.1f} |")
    return "\n".join(["| pair | at least | light | dark |", "|---|---|---|---|", *rows])


def test_the_measure_of_contrast_agrees_with_known_values() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_pair_of_colours_can_be_read(theme: str) -> None:
    colours = tokens()[theme]
    weak = {
        (word, ground): round(contrast(colours[word], colours[ground]), 2)
        for word, ground, least in PAIRS
        if contrast(colours[word], colours[ground]) < least
    }
    assert weak == {}


def test_every_tone_of_the_templates_has_its_colours() -> None:
    css = CSS.read_text("utf-8")
    assert re.findall(r"^\.tone-([a-z]+)", css, re.M) == list(look.TONES)


def test_the_guide_prints_the_measured_contrast() -> None:
    printed = re.search(r"<!-- contrast -->\n(.*?)\n<!-- /contrast -->", GUIDE.read_text("utf-8"), re.S)
    assert printed is not None
    assert printed.group(1) == measured(), "docs/design.md is out of date; put in:\n" + measured()


def test_every_custom_property_that_is_used_exists() -> None:
    css = CSS.read_text("utf-8")
    assert set(re.findall(r"var\(--([a-z0-9-]+)\)", css)) - set(re.findall(r"--([a-z0-9-]+):", css)) == set()


# Weight and safety ----------------------------------------------------------------------------------------------------


def test_the_style_sheet_and_the_script_are_light() -> None:
    assert len(gzip.compress(CSS.read_bytes(), 9)) <= 12_000
    assert len(SCRIPT.read_bytes()) <= 2_048


def test_the_style_sheet_fetches_nothing() -> None:
    css = CSS.read_text("utf-8")
    assert re.findall(r"@import|@font-face|url\(", css) == []


INLINE = re.compile(
    r"<script(?![^>]*(?:\bsrc=|type=\"application/json\"))[^>]*>|<style|\sstyle=|\son[a-z]+=\"|javascript:", re.I
)


@pytest.mark.parametrize(
    "code", ['<p style="color:red">', "<script>x()</script>", '<a onclick="x()">', "<style>p{}</style>"]
)
def test_the_search_for_inline_code_finds_it(code: str) -> None:
    assert INLINE.search(code)


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: str(file.relative_to(WEB / "templates")))
def test_a_template_parses_and_holds_no_inline_code(file: Path) -> None:
    get_template(str(file.relative_to(WEB / "templates")))
    assert INLINE.findall(file.read_text("utf-8")) == []


# Pages ----------------------------------------------------------------------------------------------------------------


class Outline(HTMLParser):
    """What a page is made of: its elements with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def ids(self) -> list[str]:
        return [str(attrs["id"]) for _tag, attrs in self.elements if "id" in attrs]


@pytest.fixture
def gallery() -> Outline:
    with translation.override("en"), timezone.override(ZoneInfo("America/Lima")):
        return Outline(
            render_to_string(
                "components/gallery.html",
                {**samples(), "languages": [("es", "Español"), ("en", "English")], "zone_name": "America/Lima"},
            )
        )


def test_a_page_has_one_heading_one_main_and_a_language(gallery: Outline) -> None:
    assert [len(gallery.all(tag)) for tag in ("h1", "main", "header", "footer")] == [1, 1, 1, 1]
    assert gallery.all("html") == [{"lang": "en"}]
    assert gallery.all("a")[0] == {"class": "skip-link", "href": "#main"}


def test_no_two_elements_share_an_id(gallery: Outline) -> None:
    assert [name for name in set(gallery.ids) if gallery.ids.count(name) > 1] == []


def test_every_label_and_description_leads_somewhere(gallery: Outline) -> None:
    wanted = {str(attrs["for"]) for attrs in gallery.all("label") if attrs.get("for")}
    wanted |= {
        name
        for _tag, attrs in gallery.elements
        for key in ("aria-describedby", "aria-labelledby")
        for name in str(attrs.get(key) or "").split()
    }
    assert wanted - set(gallery.ids) == set()
    assert len(wanted) > 20


def test_every_mistake_is_listed_at_the_top_with_a_link_to_its_field(gallery: Outline) -> None:
    summary = next(attrs for attrs in gallery.all("div") if attrs.get("class") == "error-summary")
    assert summary["tabindex"] == "-1"
    links = [str(attrs["href"]) for attrs in gallery.all("a") if str(attrs.get("href")).startswith("#wrong_")]
    assert links == ["#wrong_email", "#wrong_born", "#wrong_level_group", "#wrong_why", "#wrong_agree"]
    assert {link.removeprefix("#") for link in links} - set(gallery.ids) == set()


def test_the_list_of_mistakes_takes_the_focus_except_on_the_design_page(gallery: Outline) -> None:
    class Contact(forms.Form):
        email = forms.EmailField()

    page = Outline(str(Contact({"email": "ana@"})))
    assert [attrs.get("class") for _tag, attrs in page.elements if "autofocus" in attrs] == ["error-summary"]
    assert [attrs for _tag, attrs in gallery.elements if "autofocus" in attrs] == []


def test_what_was_written_stays_in_a_form_with_mistakes(gallery: Outline) -> None:
    fields = {attrs.get("id"): attrs for attrs in gallery.all("input")}
    assert (fields["wrong_name"]["value"], fields["wrong_email"]["value"]) == ("Ana Quispe", "ana@")
    assert (fields["wrong_email"]["aria-invalid"], fields["wrong_email"]["aria-describedby"]) == (
        "true",
        "wrong_email_error",
    )
    assert "checked" in fields["wrong_needs_0"]


def test_only_the_sorted_column_says_so(gallery: Outline) -> None:
    assert [attrs["aria-sort"] for attrs in gallery.all("th") if "aria-sort" in attrs] == ["ascending"]


def test_an_embedded_list_offers_nothing_that_would_change_another_page() -> None:
    html = render_to_string("components/listing.html", {"listing": samples()["listing"], "embedded": True})
    assert "?sort=" not in html
    assert "<form" not in html


def test_a_page_without_addresses_user_or_request_still_renders() -> None:
    html = render_to_string("errors/500.html", {"reference": "9f3a01bc"})
    assert "<code>9f3a01bc</code>" in html
    assert len(Outline(html).all("h1")) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 429])
def test_an_error_page_says_what_why_what_next_and_a_reference(status: int) -> None:
    with translation.override("en"):
        html = render_to_string(f"errors/{status}.html", {"reference": "9f3a01bc", "reasons": ["The seat is taken."]})
    assert len(Outline(html).all("h1")) == 1
    assert all(part in html for part in ("What next", "<code>9f3a01bc</code>", "<li>The seat is taken.</li>"))
    assert re.search(r'<p class="lead">[^<]{20,}</p>', html)


# Facts ----------------------------------------------------------------------------------------------------------------

MOMENT = datetime(2027, 3, 3, 19, 0, tzinfo=UTC)


def test_a_moment_is_told_in_the_readers_zone_and_names_it() -> None:
    with translation.override("en"), timezone.override(ZoneInfo("America/Lima")):
        assert look.moment(MOMENT) == (
            '<time datetime="2027-03-03T14:00:00-05:00">Wed 3 Mar 2027, 14:00</time> '
            '<span class="zone">(America/Lima)</span>'
        )
    with translation.override("en"), timezone.override(ZoneInfo("Asia/Tokyo")):
        assert look.moment_text(MOMENT) == "Thu 4 Mar 2027, 04:00 (Asia/Tokyo)"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="names no zone"):
        look.moment(datetime(2027, 3, 3, 19, 0))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "mié 3 mar 2027, 14:00"),
        ("pt-br", "qua 3 mar 2027, 14:00"),
        ("en", "Wed 3 Mar 2027, 14:00"),
        ("fr", "mer 3 mars 2027, 14:00"),
    ],
)
def test_a_moment_follows_the_readers_language(language: str, text: str) -> None:
    with translation.override(language), timezone.override(ZoneInfo("America/Lima")):
        assert look.moment_text(MOMENT) == f"{text} (America/Lima)"
        assert say_reason(Reason("x", "It ends on %(at)s.", {"at": MOMENT})) == f"It ends on {text} (America/Lima)."


def test_a_date_belongs_to_no_zone() -> None:
    with translation.override("en"), timezone.override(ZoneInfo("Pacific/Kiritimati")):
        assert look.when(date(2027, 3, 3)) == '<time datetime="2027-03-03">3 Mar 2027</time>'


def words(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


def test_a_period_does_not_repeat_what_both_ends_share() -> None:
    with translation.override("en"), timezone.override(ZoneInfo("America/Lima")):
        assert words(look.period(date(2027, 3, 3), date(2027, 6, 12))) == "3 Mar – 12 Jun 2027"
        assert words(look.period(date(2027, 12, 3), date(2028, 1, 12))) == "3 Dec 2027 – 12 Jan 2028"
        assert (
            words(look.period(MOMENT, MOMENT + timedelta(minutes=90))) == "Wed 3 Mar 2027, 14:00–15:30 (America/Lima)"
        )
        assert (
            words(look.period(MOMENT, MOMENT + timedelta(hours=12)))
            == "Wed 3 Mar 2027, 14:00 – Thu 4 Mar 2027, 02:00 (America/Lima)"
        )
        assert words(look.period(MOMENT, None)) == "Wed 3 Mar 2027, 14:00 (America/Lima)"


def test_a_meeting_across_the_hour_that_comes_twice_names_the_offset_of_both_ends() -> None:
    """Santiago, night to 4 April 2027: at 24:00 the clock goes back to 23:00. A day's opening hours of a call name none."""
    starts = datetime(2027, 4, 4, 2, 30, tzinfo=UTC)
    with translation.override("en"), timezone.override(ZoneInfo("America/Santiago")):
        assert words(look.period(starts, starts + timedelta(hours=1))) == "Sat 3 Apr 2027, 23:30 UTC−3 – 23:30 UTC−4 (America/Santiago)"
        assert words(look.hours(starts, starts + timedelta(hours=1))) == "23:30 UTC−3 – 23:30 UTC−4"
        assert words(look.hours(starts, starts + timedelta(minutes=15))) == "23:30–23:45"
        assert words(look.period(starts, starts + timedelta(days=7))) == "Sat 3 Apr 2027, 23:30 – Sat 10 Apr 2027, 22:30 (America/Santiago)"
    with translation.override("en"), timezone.override(ZoneInfo("America/Lima")):
        assert words(look.period(starts, starts + timedelta(hours=1))) == "Sat 3 Apr 2027, 21:30–22:30 (America/Lima)"
    assert wall_span(starts, starts + timedelta(hours=1), ZoneInfo("America/Santiago")) == "Sat 3 Apr 2027, 23:30 UTC−3 – 23:30 UTC−4"


@pytest.mark.parametrize(
    ("zone", "shown"),
    [("Asia/Kathmandu", "UTC+5:45"), ("America/St_Johns", "UTC−3:30"), ("UTC", "UTC+0"), ("Pacific/Kiritimati", "UTC+14")],
)
def test_an_offset_tells_hours_and_what_is_left_of_them(zone: str, shown: str) -> None:
    assert offset_text(datetime(2027, 1, 1, tzinfo=ZoneInfo(zone))) == shown


def test_a_zone_may_go_on_in_a_new_line_after_its_stroke() -> None:
    assert look.parted("America/Argentina/<La_Rioja") == "America/<wbr>Argentina/<wbr>&lt;La_Rioja"


def test_a_fallback_language_is_marked_for_the_voice() -> None:
    texts = {"es": "Estadística <1>", "pt-br": "Estatística"}
    with translation.override("es"):
        assert look.localized(texts) == "Estadística &lt;1&gt;"
    with translation.override("fr"):
        assert look.localized(texts) == '<span lang="es">Estadística &lt;1&gt;</span>'
    with translation.override("fr"):
        assert look.localized({"pt-br": "Estatística"}) == '<span lang="pt-BR">Estatística</span>'
    assert look.localized(None) == ""


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("2 Dec 2026, 14:00 (America/Montevideo), and/or later", "2 Dec 2026, 14:00 (America/<wbr>Montevideo), and/or later"),
        ("What COVID-19 changed", 'What <span class="unbroken">COVID-19</span> changed'),
        ("A & B-2", "A &amp; B-2"),
        ("2019-20, e-mail, well-known", "2019-20, e-mail, well-known"),
        (SafeString('<a href="/on/COVID-19/">COVID-19</a>'), '<a href="/on/COVID-19/"><span class="unbroken">COVID-19</span></a>'),
    ],
)
def test_a_heading_is_not_broken_inside_a_name(said: str, shown: str) -> None:
    assert Engine.get_default().from_string("{% load look %}{{ said|unbroken }}").render(Context({"said": said})) == shown


def test_numbers_follow_the_readers_language() -> None:
    with translation.override("en"):
        assert (look.number(1724), look.number("4.5"), look.number(None)) == ("1,724", "4.5", "")
    with translation.override("pt-br"):
        assert look.number(1724) == "1.724"
        assert [look.number(mark) for mark in ("6.1", "-0.18", "A", "10/20")] == ["6,1", "-0,18", "A", "10/20"]


def test_money_is_told_in_whole_units_of_its_currency() -> None:
    with translation.override("en"):
        assert look.money({"amount": 125000, "currency": "EUR"}) == "1,250.00 EUR"
        assert look.money({"amount": 125000, "currency": "CLP"}) == "125,000 CLP"


@pytest.mark.parametrize("kind", sorted(look.KINDS))
def test_a_missing_fact_of_any_kind_is_told_as_not_given(kind: str) -> None:
    with translation.override("en"):
        assert words(look.shown(None, kind)) == "—not given"


def test_zero_and_no_are_facts() -> None:
    with translation.override("en"):
        assert words(look.shown(0, "number")) == "0"
        assert [words(look.shown(Decimal(text), "number")) for text in ("60.00", "4.50", "100")] == ["60", "4.5", "100"]
        assert words(look.shown(False, "bool")).strip() == "No"


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(TemplateSyntaxError, match="long_text"):
        look.shown("x", "colour")


@pytest.mark.parametrize(
    "kind", sorted(set(look.KINDS) - {"number", "integer", "date", "moment", "bool", "money", "people", "list"})
)
def test_markup_in_a_fact_is_shown_not_run(kind: str) -> None:
    evil = "<script>"
    value = (
        {"url": evil, "label": evil, "name": evil, "code": evil}
        if kind in {"link", "ref", "file", "state", "country"}
        else evil
    )
    assert "<script>" not in look.shown(value, kind)


def test_only_markup_that_was_sanitised_passes() -> None:
    assert look.shown(SafeString("<b>x</b>"), "html") == "<b>x</b>"


def test_facts_may_be_objects_or_mappings() -> None:
    as_object = look.shown(SimpleNamespace(label="Open", tone="good"), "state")
    assert (
        as_object == look.shown({"label": "Open", "tone": "good"}, "state") == '<span class="tag tone-good">Open</span>'
    )


def test_an_unknown_tone_is_neutral_and_djangos_levels_are_known() -> None:
    assert look.pill("Odd", "mauve") == '<span class="tag tone-neutral">Odd</span>'
    assert [look.tone_of(tag) for tag in ("debug", "info", "success", "warning", "error")] == [
        "neutral",
        "info",
        "good",
        "warn",
        "bad",
    ]
    assert set(levels.DEFAULT_TAGS.values()) == {"debug", "info", "success", "warning", "error"}


def test_the_next_action_is_the_first_that_can_be_acted_on() -> None:
    items = [
        {"title": "a", "url": "", "action_label": ""},
        {"title": "done", "url": "/d/", "action_label": "Share", "state": {"label": "Done", "tone": "good"}},
        {"title": "theirs", "url": "/t/", "action_label": "See", "state": {"label": "Waiting", "tone": "info"}},
        {"title": "b", "url": "/b/", "action_label": "Do", "state": {"label": "Your turn", "tone": "warn"}},
        {"title": "c", "url": "/c/", "action_label": "Do"},
    ]
    assert look.next_action([{"items": items[:2]}, {"items": items[2:]}]) is items[3]
    assert look.next_action([]) is None


def test_a_bar_is_a_share_of_the_largest_with_a_point_in_every_language() -> None:
    rows = [{"value": 3}, {"value": 8}]
    with translation.override("fr"):
        assert look.share_of(3, rows) == "37.5"
    assert look.share_of(0, [{"value": 0}]) == "0"


@pytest.mark.parametrize(
    ("path", "section", "answer"),
    [
        ("/calls/1/", "/calls/", True),
        ("/callsign/", "/calls/", False),
        ("/calls/", "/", False),
        ("/", "/", True),
        (None, "/", False),
    ],
)
def test_a_page_lies_in_its_section_only(path: str | None, section: str, answer: bool) -> None:
    assert look.within(path, section) is answer


def test_the_tags_are_a_library_of_their_own() -> None:
    engine = Engine(libraries={"look": "vsm.web.templatetags.look"})
    assert (
        engine.from_string('{% load look %}{% pill "Open" "good" %}').render(Context())
        == '<span class="tag tone-good">Open</span>'
    )


@pytest.mark.django_db
def test_pages_of_the_handbook_lead_to_each_other() -> None:
    pages = {name: Client().get(f"/handbook/{name}/").content.decode() for name in ("analyst", "editor", "coordinator")}
    assert ({name: ".md\"" in text for name, text in pages.items()}, 'href="/handbook/editor/"' in pages["analyst"]) == (dict.fromkeys(pages, False), True)


@pytest.mark.parametrize(
    ("language", "days"),
    [
        ("fr", ["1er mars 2027", "2 mars 2027", "lun 1er mars 2027, 04:00 (UTC)", "1er mars"]), ("pt-br", ["1º de março de 2027", "2 de março de 2027", "seg 1º mar 2027, 04:00 (UTC)", "1º mar"]),
        ("es", ["1 de marzo de 2027", "2 de marzo de 2027", "lun 1 mar 2027, 04:00 (UTC)", "1 mar"]), ("en", ["1 Mar 2027", "2 Mar 2027", "Mon 1 Mar 2027, 04:00 (UTC)", "1 Mar"]),
    ],
)  # fmt: skip
def test_the_first_of_a_month_is_written_as_the_language_writes_it(language: str, days: list[str]) -> None:
    with translation.override(language), timezone.override("UTC"):
        said = [say_reason(Reason("x", "%(day)s", {"day": day})) for day in (date(2027, 3, 1), date(2027, 3, 2))]
        assert [*said, moment_text(datetime(2027, 3, 1, 4, tzinfo=UTC)), day_text(date(2027, 3, 1), year=False)] == days


def test_a_code_is_told_as_it_is_written_and_a_figure_as_the_language_writes_it() -> None:
    codes = Reason("x", "%(course)s, %(codes)s, %(offering)s: %(value)s", {"course": "101.2", "codes": ["May", "7.50"], "offering": {"es": "Agua", "en": "Water"}, "value": "7.50"})
    with translation.override("es"):
        assert say_reason(codes) == "101.2, May, 7.50, Agua: 7,50"


@pytest.mark.parametrize(("language", "line"), [("fr", "Pérou\u00a0: 0,21"), ("pt-br", "Pérou: 0,21")])
def test_a_line_of_a_word_and_what_is_told_of_it_has_the_colon_of_its_language(language: str, line: str) -> None:
    with translation.override(language):
        assert labelled("Pérou", "0,21") == line
