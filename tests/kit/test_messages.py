"""The translators' files."""

import os
from pathlib import Path
from typing import Any

import polib
import pytest
from django.utils.translation import gettext, override

from vsm.kit.messages import TRANSLATED, Message, catalogue, collect, compile_changed, faults_of, merge, placeholders


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py").replace("_html", ".html")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def texts(folder: Path) -> list[Message]:
    return sorted(collect(folder).messages)


def test_strings_are_found_in_python(tmp_path: Path) -> None:
    source = """
from django.utils.translation import gettext as _, ngettext, pgettext
_("one"); _("in " "two parts"); gettext_lazy("lazy"); N_("marked"); models.gettext("by module"); _now("at once")
ngettext("%(n)s seat", "%(n)s seats", n); pgettext("a month", "May"); other("not this")
"""
    assert texts(written(tmp_path, a_py=source)) == sorted(
        [Message("one"), Message("in two parts"), Message("lazy"), Message("marked"), Message("by module"), Message("at once"), Message("%(n)s seat", "%(n)s seats"), Message("May", context="a month")]
    )


def test_strings_are_found_in_templates(tmp_path: Path) -> None:
    source = """{% load i18n %}{% translate "Home" %} {% trans 'It''s' %}{% translate "May" context "a month" %}{{ _("in a filter") }}
{% blocktranslate with name=person.name trimmed %}Dear
  {{ name }}{% endblocktranslate %}{% blocktranslate count n=seats %}{{ n }} seat{% plural %}{{ n }} seats{% endblocktranslate %}{{ "not this" }}"""
    found = texts(written(tmp_path, a_html=source.replace("'It''s'", '"It\'s"')))
    assert found == sorted(
        [Message("Home"), Message("It's"), Message("May", context="a month"), Message("in a filter"), Message("Dear %(name)s"), Message("%(n)s seat", "%(n)s seats")]
    )


@pytest.mark.parametrize("call", ['_(f"Dear {name}")', '_("Dear %s" % name)', '_("Dear {}".format(name))', "N_(name)", '_("a" if x else "b")', '_("a" + b)'])
def test_a_string_that_cannot_be_collected_is_named_with_its_place(tmp_path: Path, call: str) -> None:
    [fault] = collect(written(tmp_path, a_py=f"x = 1\n{call}\n")).faults
    assert fault.startswith("a.py:2: ")


def test_saying_what_was_marked_elsewhere_is_no_fault(tmp_path: Path) -> None:
    assert collect(written(tmp_path, a_py="gettext(text); _(error.title); gettext(str(x))\n")).faults == []


def test_merging_keeps_translations_and_forgets_what_is_gone(tmp_path: Path) -> None:
    assert merge(tmp_path, [Message("Home"), Message("Gone")]) == {"es": 2, "pt_BR": 2, "fr": 2}
    path = catalogue(tmp_path, "es")
    known = polib.pofile(str(path))
    for entry in known:
        entry.msgstr = f"«{entry.msgid}»"
    known.save(str(path))
    assert merge(tmp_path, [Message("New"), Message("Home")])["es"] == 1
    assert [(entry.msgid, entry.msgstr) for entry in polib.pofile(str(path))] == [("Home", "«Home»"), ("New", "")]
    before = path.read_bytes()
    merge(tmp_path, [Message("Home"), Message("New")])
    assert path.read_bytes() == before, "no dates, no line numbers, no order of finding"


def translated(tmp_path: Path, message: Message, text: str, flags: tuple[str, ...] = ()) -> list[str]:
    merge(tmp_path, [message])
    for language in TRANSLATED:
        path = catalogue(tmp_path, language)
        known = polib.pofile(str(path))
        known[0].msgstr = text
        known[0].flags += list(flags)
        known.save(str(path))
    return faults_of(tmp_path, [message])


def test_a_whole_translation_has_no_fault(tmp_path: Path) -> None:
    assert translated(tmp_path, Message("Dear %(name)s"), "Estimada %(name)s") == []


@pytest.mark.parametrize(("text", "flags"), [("", ()), ("Estimada", ()), ("Estimada %(nombre)s", ()), ("Estimada %(name)s %(x)s", ()), ("Estimada %(name)s", ("fuzzy",))])
def test_missing_fuzzy_and_mismatched_translations_are_faults_in_each_language(tmp_path: Path, text: str, flags: tuple[str, ...]) -> None:
    faults = translated(tmp_path, Message("Dear %(name)s"), text, flags)
    assert [fault.split(":")[0] for fault in faults] == ["es", "pt_BR", "fr"]
    assert all("Dear %(name)s" in fault for fault in faults)


def test_a_string_without_a_catalogue_is_a_fault(tmp_path: Path) -> None:
    assert len(faults_of(tmp_path, [Message("Home")])) == len(TRANSLATED)


def test_what_changed_is_compiled_and_nothing_else(tmp_path: Path) -> None:
    translated(tmp_path, Message("Home"), "Inicio")
    assert compile_changed(tmp_path) == 3
    assert compile_changed(tmp_path) == 0
    path = catalogue(tmp_path, "es")
    os.utime(path, ns=(path.stat().st_atime_ns, path.with_suffix(".mo").stat().st_mtime_ns + 10**9))
    assert compile_changed(tmp_path) == 1
    assert polib.mofile(str(path.with_suffix(".mo")))[0].msgstr == "Inicio"


def test_no_line_of_french_begins_with_a_colon_or_ends_with_an_opening_quotation_mark(tmp_path: Path) -> None:
    translated(tmp_path, Message("Why?"), "Pourquoi : « là » ? https://x.example/?a=1")
    compile_changed(tmp_path)
    found = {language: polib.mofile(str(catalogue(tmp_path, language).with_suffix(".mo")))[0].msgstr for language in ("fr", "es")}
    assert found == {"fr": "Pourquoi\u00a0: «\u00a0là\u00a0»\u00a0? https://x.example/?a=1", "es": "Pourquoi : « là » ? https://x.example/?a=1"}


def test_placeholders_are_the_named_ones() -> None:
    assert placeholders("%(b)s of %(a)d, 100%%, %(a)s and %%(c)s") == ["a", "b"]


def test_what_was_looked_up_before_the_catalogue_was_there_is_translated_from_then_on(tmp_path: Path, settings: Any) -> None:
    settings.LOCALE_PATHS = [tmp_path]
    with override("es"):
        before = gettext("A letter of the first start.")
    merge(tmp_path, [Message("A letter of the first start.")])
    spanish = polib.pofile(str(catalogue(tmp_path, "es")))
    spanish[0].msgstr = "Una carta del primer arranque."
    spanish.save()
    compile_changed(tmp_path)
    with override("es"):
        assert (before, gettext("A letter of the first start.")) == ("A letter of the first start.", "Una carta del primer arranque.")
