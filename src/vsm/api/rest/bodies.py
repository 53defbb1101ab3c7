"""What a program sends with an act: JSON, read strictly by the act's own model.

Nothing is bent into shape (`false` is no number, `"5"` is no number, a date is no moment), nothing unknown is passed
over, and what no database of ours could keep is refused here, with every place that is wrong.
"""

import base64
import binascii
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TypeVar

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from pydantic import BaseModel, ValidationError, create_model, field_validator
from pydantic_core import PydanticCustomError

from vsm.kit import obstacles
from vsm.kit.errors import Invalid, Refused
from vsm.kit.i18n import N_
from vsm.kit.uploads import LIMIT, Upload
from vsm.kit.verdict import Reason

M = TypeVar("M", bound=BaseModel)

# Beyond this, programs disagree about which whole number was sent (RFC 7493 §2.2).
SAFE = 2**53 - 1
YEARS = range(1900, 2201)


class Unreadable(Refused):
    """The body is no JSON at all."""

    status = 400
    code = "unreadable"
    title = N_("The request could not be read")


class TooLarge(Refused):
    """The body, or a file in it, is larger than we take."""

    status = 413
    code = "too-large"
    title = N_("This is too large")


class File(Upload):
    """A file: `data` is its bytes in base64 (RFC 4648 §4, with padding), at most 5 MB of them."""

    @field_validator("data", mode="before")
    @classmethod
    def whole(cls, data: object) -> object:
        """Python's decoder passes over what is no base64; half a file is worse than none."""
        if not isinstance(data, str):
            return data
        try:
            base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError) as cause:
            raise PydanticCustomError("base64_decode", "no base64") from cause
        return data.encode("ascii")


def form_of(inputs: type[BaseModel]) -> type[BaseModel]:
    """An act's inputs as the API takes them: the same, files whole."""
    files: dict[str, Any] = {
        name: (File if info.is_required() else File | None, info) for name, info in inputs.model_fields.items() if info.annotation in (Upload, Upload | None)
    }
    return create_model(inputs.__name__, __base__=inputs, __doc__=inputs.__doc__, **files) if files else inputs


def read(request: HttpRequest, model: type[M]) -> M:
    """The inputs of an act. Raises `Unreadable`, `TooLarge` or `Invalid` with all reasons at once."""
    try:
        raw = request.body
    except RequestDataTooBig as cause:
        raise TooLarge(Reason("too-large", N_("The request is larger than we take. Send files one by one."))) from cause
    try:
        sent = model.model_validate_json(raw.strip() or b"{}", strict=True, extra="forbid")
    except ValidationError as cause:
        errors = cause.errors(include_url=False, include_input=False)
        if errors[0]["type"] == "json_invalid":
            raise Unreadable(Reason("json", N_("The body must be JSON (RFC 8259) in UTF-8. It breaks off here: %(where)s"), {"where": errors[0]["ctx"]["error"]})) from cause
        raise Invalid(*obstacles.reasons(errors, asked=model)) from cause
    oversized = [place for place, value in _values(sent) if isinstance(value, Upload) and len(value.data) > LIMIT]
    if oversized:
        raise TooLarge(*(Reason("too-large", N_("The file is larger than %(limit)s MB."), {"limit": LIMIT // 2**20}, place) for place in oversized))
    Invalid.because(reason for place, value in _values(sent) for reason in _unusable(value, place))
    return sent


def _values(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every value with its dotted place, from the outside in; the names in a mapping are values too."""
    yield place, value
    inner: list[tuple[object, Any]] = []
    if isinstance(value, BaseModel):
        inner = [(name, getattr(value, name)) for name in type(value).model_fields]
    elif isinstance(value, dict):
        for name in value:
            yield place, name
        inner = list(value.items())
    elif isinstance(value, list | tuple):
        inner = list(enumerate(value))
    for name, part in inner:
        yield from _values(part, f"{place}.{name}" if place else str(name))


def _unusable(value: Any, place: str) -> Iterator[Reason]:
    if isinstance(value, str) and "\x00" in value:
        yield Reason("nul", N_("The text contains a character (NUL) that cannot be stored. Remove it."), {}, place)
    elif isinstance(value, int) and abs(value) > SAFE:
        yield Reason("out-of-range", N_("The number is too large."), {}, place)
    elif isinstance(value, Decimal) and (not value.is_finite() or value.adjusted() > 15 or int(value.as_tuple().exponent) < -12):
        yield Reason("out-of-range", N_("The number is too large, or too fine."), {}, place)
    elif isinstance(value, dt.datetime) and value.tzinfo is None:
        yield obstacles.unzoned(place)
    elif isinstance(value, dt.date) and value.year not in YEARS:
        yield Reason("out-of-range", N_("The date is too far away."), {}, place)
