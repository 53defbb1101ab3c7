"""What the schema's checks found, told as reasons: a stable code, a sentence to translate, the input it is about."""

from collections.abc import Iterable, Mapping
from typing import Any

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
    "extra_forbidden": N_("There is no input of this name."),
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


def reasons(errors: Iterable[Mapping[str, Any]], skipping: int = 0) -> list[Reason]:
    """One reason for each error. `skipping` leaves out the first parts of the place (the query string, the body)."""
    return [Reason(str(e["type"]), *_sentence(e), ".".join(map(str, e["loc"][skipping:]))) for e in errors]


def unzoned(place: str) -> Reason:
    """A moment without its offset. Nobody guesses it: an hour that clocks turn back occurs twice."""
    return Reason("timezone_aware", NO_MOMENT, {}, place)


def _sentence(error: Mapping[str, Any]) -> tuple[str, dict[str, object]]:
    text = SENTENCES.get(str(error["type"]), OTHERWISE)
    return text, {name: value for name, value in (error.get("ctx") or {}).items() if f"%({name})s" in text}
