"""The translators' files: strings collected from code and templates, merged into `.po`, compiled to `.mo`.

No gettext programs are needed. Python is read as a syntax tree, so that a string that cannot be collected (an f-string,
a variable) is a fault that is named and not a gap that is found in production. Templates are read as Django reads them.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polib
from django.utils.translation.reloader import translation_file_changed
from django.utils.translation.template import templatize

from vsm.kit.localized import unbroken

LOCALE = Path(__file__).parents[1] / "locale"
TRANSLATED = ("es", "pt_BR", "fr")  # English is the language of the strings themselves

# Function → which arguments are the context, the string and its plural.
_CALLS = {
    **dict.fromkeys(("_", "N_", "_now", "gettext", "gettext_lazy", "gettext_noop"), (None, 0, None)),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (None, 0, 1)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), (0, 1, None)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), (0, 1, 2)),
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)[-#0 +]*\d*(?:\.\d+)?[a-zA-Z]")
_LITERAL = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_TEMPLATE_CALL = re.compile(rf"\b(_|gettext|ngettext|pgettext|npgettext)\(\s*({_LITERAL})(?:\s*,\s*({_LITERAL}))?(?:\s*,\s*({_LITERAL}))?", re.DOTALL)


@dataclass(frozen=True, order=True)
class Message:
    """One string to translate; `plural` and `context` are empty where there is none."""

    text: str
    plural: str = ""
    context: str = ""


@dataclass
class Collected:
    """Every message with the files that use it, and the calls that could not be read as `file:line: why`."""

    messages: dict[Message, set[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def collect(package: Path) -> Collected:
    """Every translatable string below `package`; file names are relative to it."""
    found = Collected()
    for path in sorted(package.rglob("*.py")):
        if "migrations" not in path.parts:
            _from_python(path.relative_to(package).as_posix(), path.read_text("utf-8"), found)
    for path in sorted([*package.rglob("*.html"), *package.rglob("templates/**/*.txt")]):
        _from_template(path.relative_to(package).as_posix(), path.read_text("utf-8"), found)
    return found


def merge(locale: Path, messages: Iterable[Message]) -> dict[str, int]:
    """Write `<locale>/<language>/LC_MESSAGES/django.po` anew: sorted, what is no longer used removed, translations kept.

    Returns how many messages each language lacks.
    """
    wanted = sorted(set(messages), key=lambda message: (message.text.casefold(), message.text, message.context))
    missing = {}
    for language in TRANSLATED:
        path = catalogue(locale, language)
        path.parent.mkdir(parents=True, exist_ok=True)
        known = {_key(entry): entry for entry in polib.pofile(str(path))} if path.exists() else {}
        fresh = _header(language)
        for message in wanted:
            fresh.append(_entry(message, known.get((message.text, message.context))))
        fresh.save(str(path))
        missing[language] = sum(not _is_translated(entry) for entry in fresh)
    return missing


def faults_of(locale: Path, messages: Iterable[Message]) -> list[str]:
    """What a reader of some language would stumble over: no translation, fuzzy, or other placeholders."""
    wanted = set(messages)
    return [fault for language in TRANSLATED for fault in _faults_in(catalogue(locale, language), language, wanted)]


def compile_changed(locale: Path = LOCALE) -> int:
    """Compile each `.po` that is newer than its `.mo`, and have this process read the new ones. Returns how many were.

    Translators write plain spaces; where French typography wants one that does not break, it is set here."""
    compiled = 0
    for source in sorted(locale.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        partial = target.with_suffix(".part")
        read = polib.pofile(str(source))
        for entry in read:
            entry.msgstr = unbroken(entry.msgstr, source.parts[-3])
            entry.msgstr_plural = {number: unbroken(text, source.parts[-3]) for number, text in entry.msgstr_plural.items()}
        read.save_as_mofile(str(partial))
        partial.replace(target)
        # A first start writes the demo's letters in this process, which has looked for the catalogue before it was there.
        translation_file_changed(sender=None, file_path=target)
        compiled += 1
    return compiled


def catalogue(locale: Path, language: str) -> Path:
    return locale / language / "LC_MESSAGES" / "django.po"


def placeholders(text: str) -> list[str]:
    """The named placeholders, sorted: a translation must have the same."""
    return sorted(set(_PLACEHOLDER.findall(text.replace("%%", ""))))


def _from_python(name: str, source: str, found: Collected) -> None:
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if called not in _CALLS or not node.args:
            continue
        places = _CALLS[called]
        texts = [_literal(node.args[place]) if place is not None and place < len(node.args) else "" for place in places]
        if None not in texts:
            context, text, plural = (str(part) for part in texts)
            found.messages.setdefault(Message(text, plural, context), set()).add(name)
        elif fault := _why_not_collected(called, node.args[places[1]]):
            found.faults.append(f"{name}:{node.lineno}: {fault}")


def _why_not_collected(called: str, given: ast.expr) -> str:
    """A variable or a call may stand for a string that was marked elsewhere; a string built on the spot may not."""
    if isinstance(given, ast.JoinedStr):
        return "an f-string cannot be translated: use %(name)s placeholders"
    is_formatting = isinstance(given, ast.Call) and isinstance(given.func, ast.Attribute) and given.func.attr == "format"
    if called == "N_" or is_formatting or isinstance(given, ast.BinOp | ast.IfExp):
        return f"{called}() needs the string itself, not an expression"
    return ""


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _from_template(name: str, source: str, found: Collected) -> None:
    for call, *literals in _TEMPLATE_CALL.findall(templatize(source, origin=name)):
        texts = [str(ast.literal_eval(literal)) if literal else "" for literal in literals]
        context, text, plural = (texts[place] if place is not None else "" for place in _CALLS[call])
        if text:
            found.messages.setdefault(Message(text, plural, context), set()).add(name)


def _header(language: str) -> polib.POFile:
    fresh = polib.POFile(wrapwidth=110)
    plural = "nplurals=2; plural=(n > 1);" if language in {"fr", "pt_BR"} else "nplurals=2; plural=(n != 1);"
    fresh.metadata = {
        "Project-Id-Version": "OpenVSM",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": plural,
    }
    return fresh


def _entry(message: Message, known: polib.POEntry | None) -> polib.POEntry:
    entry = polib.POEntry(msgid=message.text, msgctxt=message.context or None)
    if placeholders(message.text):
        entry.flags = ["python-format"]
    if message.plural:
        entry.msgid_plural = message.plural
        entry.msgstr_plural = dict(known.msgstr_plural) if known and known.msgstr_plural else {0: "", 1: ""}
    elif known:
        entry.msgstr = known.msgstr
    if known and known.fuzzy:
        entry.flags.append("fuzzy")
    return entry


def _faults_in(path: Path, language: str, wanted: set[Message]) -> Iterator[str]:
    known = {_key(entry): entry for entry in polib.pofile(str(path))} if path.exists() else {}
    for message in sorted(wanted):
        entry = known.get((message.text, message.context))
        if entry is None or not _is_translated(entry):
            yield f"{language}: not translated: {message.text!r}"
            continue
        for translation in entry.msgstr_plural.values() if message.plural else [entry.msgstr]:
            expected = placeholders(message.plural or message.text)
            if set(placeholders(translation)) - set(expected) or (not message.plural and placeholders(translation) != expected):
                yield f"{language}: placeholders differ from {expected}: {message.text!r}"


def _is_translated(entry: polib.POEntry) -> bool:
    if entry.fuzzy:
        return False
    return all(entry.msgstr_plural.values()) if entry.msgid_plural else bool(entry.msgstr)


def _key(entry: polib.POEntry) -> tuple[str, str]:
    return entry.msgid, entry.msgctxt or ""
