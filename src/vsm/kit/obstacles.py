"""What the schema's checks found, told as reasons: a stable code, a sentence to translate, the input it is about."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

NO_NUMBER = N_("This must be a number.")
NO_WHOLE_NUMBER = N_("This must be a whole number.")
NO_DATE = N_("This must be a date, like 2027-03-01.")
NO_TIME = N_("This must be a time of day, like 18:30.")
NO_MOMENT = N_("This must be a date and time with its zone, like 2027-03-01T18:30:00-05:00.")
NO_IDENTIFIER = N_("This must be an identifier (UUID).")
NO_CHOICE = N_("Choose one of: %(expected)s.")

# pydantic's name of an error → the sentence; its context gives the placeholders.
SENTENCES = {
    "missing": N_("This is needed."),
    "extra_forbidden": N_("There is no input of this name. There are: %(inputs)s."),
    "string_type": N_("This must be text."),
    "string_unicode": N_("This must be text."),
    "string_pattern_mismatch": N_("This has not the form that is asked for here."),
    "string_too_long": N_("At most %(max_length)s characters fit here."),
    "too_long": N_("At most %(max_length)s entries fit here."),
    "too_short": N_("At least %(min_length)s entries are needed here."),
    "greater_than_equal": N_("This must be at least %(ge)s."),
    "less_than_equal": N_("This must be at most %(le)s."),
    "bool_type": N_("This must be true or false."),
    "bool_parsing": N_("This must be true or false."),
    "list_type": N_("This must be a list."),
    "dict_type": N_('This must be a text by language, like {"es": "…", "en": "…"}.'),
    "model_type": N_("This must be an object with names and values."),
    "base64_decode": N_("This must be a file's bytes in base64."),
    "bytes_type": N_("This must be a file's bytes in base64."),
    "literal_error": NO_CHOICE,
    "enum": NO_CHOICE,
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), NO_WHOLE_NUMBER),
    **dict.fromkeys(("decimal_type", "decimal_parsing", "float_type", "float_parsing", "finite_number"), NO_NUMBER),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), NO_DATE),
    **dict.fromkeys(("time_type", "time_parsing"), NO_TIME),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware"), NO_MOMENT),
    **dict.fromkeys(("uuid_type", "uuid_parsing", "is_instance_of"), NO_IDENTIFIER),
}
OTHERWISE = N_("This cannot be used here.")
NOTHING_ASKED = N_("There is no input of this name: nothing is asked for here.")
# What pydantic tells of choices: `'a', 'b' or 'c'`, each as Python writes it.
_CHOICE = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s,'"]+""")


def reasons(errors: Iterable[Mapping[str, Any]], skipping: int = 0, *, asked: type[BaseModel] | None = None) -> list[Reason]:
    """One reason for each error. `skipping` leaves out the first parts of the place (the query string, the body); `asked` is
    the model that was read, whose inputs are named to whoever gave one that there is not."""
    return [Reason(str(e["type"]), *_sentence(e, asked), ".".join(map(str, e["loc"][skipping:]))) for e in errors]


def unzoned(place: str) -> Reason:
    """A moment without its offset. Nobody guesses it: an hour that clocks turn back occurs twice."""
    return Reason("timezone_aware", NO_MOMENT, {}, place)


def _sentence(error: Mapping[str, Any], asked: type[BaseModel] | None) -> tuple[str, dict[str, object]]:
    text = SENTENCES.get(str(error["type"]), OTHERWISE)
    if error["type"] == "extra_forbidden":
        inputs = _inputs_at(asked, error["loc"][:-1])
        return (text, {"inputs": [f"“{name}”" for name in inputs]}) if inputs else (NOTHING_ASKED, {})
    facts = {name: value for name, value in (error.get("ctx") or {}).items() if f"%({name})s" in text}
    if text == NO_CHOICE:
        facts["expected"] = _either(str(facts["expected"]))
    return text, facts


def _inputs_at(asked: type[BaseModel] | None, loc: Sequence[object]) -> list[str]:
    """The names at a place such as ("rows", 3): those of the row's own model."""
    for part in loc:
        if isinstance(part, str) and asked is not None and part in asked.model_fields:
            asked = next(_models_in(asked.model_fields[part].annotation), None)
    return list(asked.model_fields) if asked else []


def _models_in(kind: Any) -> Iterator[type[BaseModel]]:
    """The models that a type is made of: `Row` in `list[Row] | None`."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in get_args(kind):
        yield from _models_in(part)


def _either(expected: str) -> object:
    """`'a', 'b' or 'c'` as the reader's language joins it. In quotation marks, for codes are sent as they stand and not translated."""
    *some, last = [f"“{ast.literal_eval(each)}”" if each[0] in "'\"" else each for each in _CHOICE.findall(expected) if each != "or"]
    return Reason("either", N_("%(some)s or %(last)s"), {"some": some, "last": last}) if some else last
