"""The form of an action, made from the action's own parameters, so that what a page asks is what the API takes."""

import datetime as dt
import types
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

from django import forms
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from vsm.kit import obstacles
from vsm.kit.actions import STAND_IN, Action, Ask
from vsm.kit.actors import Actor
from vsm.kit.localized import LANGUAGES, text_in
from vsm.kit.names import country_code, country_name, is_country, language_name
from vsm.kit.saying import say, say_reason
from vsm.kit.uploads import LIMIT, Upload
from vsm.kit.verdict import Reason

SPARE_ROWS = 3
UNREADABLE: dict[Any, str] = {
    int: obstacles.NO_WHOLE_NUMBER, Decimal: obstacles.NO_NUMBER, float: obstacles.NO_NUMBER, dt.date: obstacles.NO_DATE, dt.time: obstacles.NO_TIME,
}  # fmt: skip


class Renderer(TemplatesSetting):
    """Django's forms through our own templates."""

    form_template_name = "django/forms/div.html"
    field_template_name = "django/forms/field.html"


class ActionForm(forms.Form):
    """The inputs of one action. `inputs()` gives them as the action takes them."""

    required_css_class = "required"

    def __init__(self, action: Action, record: Any, actor: Actor, request: HttpRequest | None = None) -> None:
        posted = request is not None and request.method == "POST"
        super().__init__(request.POST if posted else None, request.FILES if posted else None)  # type: ignore[union-attr]  # -- posted implies a request
        for name, info in action.parameters.model_fields.items():
            ask = action.asks[name]
            if ask.when is not None and not ask.when(record, actor):
                continue
            self.fields[name] = field_for(info, ask, record, actor)
            if ask.kind == "hidden":  # told by a program, not by a person
                self.fields[name].widget = forms.HiddenInput()
            self.fields[name].initial = _starting(action, name, info, ask, record, actor)
            if request is not None and request.method == "GET" and _offers(self.fields[name], request.GET.get(name)):
                self.fields[name].initial = request.GET[name]  # a link may choose beforehand, among what there is to choose
            _ask_openly(self.fields[name])

    def as_typed(self) -> "ActionForm":
        """The same form with what was typed, judged by nobody yet."""
        for name, field in self.fields.items():
            field.initial = field.widget.value_from_datadict(self.data, self.files, name)
        self.is_bound = False
        return self

    def inputs(self) -> dict[str, Any]:
        """The cleaned values, without inputs left empty that have a default."""
        return self._given(self.cleaned_data)

    def inputs_as_if_written(self) -> dict[str, Any] | None:
        """The inputs with `STAND_IN` for each text that is missing, where nothing else is wrong with them: enough for the rules to tell
        their reasons in the same answer. None where a day, a number or a choice is missing (nothing can stand in for it without
        making reasons up), and for passwords and files, which are not tried out."""
        found = dict(self.cleaned_data)
        for name, problems in self.errors.as_data().items():
            found[name] = _as_if_written(self.fields[name], problems) if name in self.fields else None
        is_tried = not any(isinstance(value, Upload) for value in found.values()) and not any(isinstance(f.widget, forms.PasswordInput) for f in self.fields.values())
        return self._given(found) if is_tried and all(found[name] is not None for name in self.errors) else None

    def _given(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in values.items() if value is not None or self.fields[name].required is False}


def _as_if_written(field: forms.Field, problems: list[forms.ValidationError]) -> Any:
    """What stands in for the texts that are missing here; None when something else is wrong."""
    if isinstance(field, RowsField):
        return field.as_if_written
    if any(problem.code != "required" for problem in problems):
        return None
    if isinstance(field, LocalizedField):
        return {get_language() or "en": STAND_IN}
    return STAND_IN if type(field) is forms.CharField else None


def _ask_openly(field: forms.Field) -> None:
    """A choice that nobody made yet begins with none: what merely stands first is no answer."""
    if isinstance(field, forms.TypedChoiceField) and field.required and field.initial in (None, "") and not field.valid_value(""):
        offered: list[Any] = list(field.widget.choices)
        field.choices = [("", "—"), *offered] if len(offered) > 1 else offered


def _offers(field: forms.Field, value: str | None) -> bool:
    return value is not None and isinstance(field, forms.TypedChoiceField) and field.valid_value(value)


def field_for(info: FieldInfo, ask: Ask, record: Any, actor: Actor) -> forms.Field:
    """The form field for one parameter."""
    kind, optional = _unwrapped(info.annotation)
    limit = ask.limit(record, actor) if callable(ask.limit) else ask.limit
    common: dict[str, Any] = {
        "label": say(ask.label), "help_text": say(ask.help) if ask.help else "", "required": info.is_required(),
        "error_messages": {"required": say(obstacles.SENTENCES["missing"])},  # the same words in a field, in a line, by REST and by command
    }  # fmt: skip
    choices = ask.choices(record, actor) if ask.choices else None
    item: Any = get_args(kind)[0] if get_origin(kind) is list else None
    if isinstance(item, type) and issubclass(item, BaseModel):
        return RowsField(row=item, record=record, actor=actor, **common)
    if ask.kind == "ranking":
        return RankingField(choices=choices or [], item=item or str, size=limit or 5, **common)
    if item is not None:
        if choices is None:
            return CountriesField(**common) if ask.kind == "countries" else LinesField(item=item, **common)
        return forms.TypedMultipleChoiceField(choices=choices, coerce=item, widget=forms.CheckboxSelectMultiple, empty_value=[], **common)
    if get_origin(kind) is Literal:
        choices = choices or _as_called(get_args(kind))
    if choices == [] and info.is_required():
        common["error_messages"] = {"required": _("There is nothing to choose from at present, so this step cannot be done yet.")}
    if choices is not None:
        coerce = kind if kind in (UUID, int, str) else str
        # A parameter that has one of the choices as its default is answered from the start: "none" would be no answer to it.
        has_none = info.is_required() or any(value in ("", info.default) for value, _label in choices)
        shown = choices if has_none else [("", "—"), *choices]
        return forms.TypedChoiceField(choices=shown, coerce=coerce, empty_value=None if optional else "", **common)
    if kind is Upload:
        return UploadField(**common)
    if ask.kind == "localized":
        return LocalizedField(**common)
    return _plain_field(kind, ask, common, optional)


def _as_called(values: tuple[Any, ...]) -> list[tuple[Any, str]]:
    """Languages by their names; what else a type names as the translations call it."""
    if set(values) <= set(LANGUAGES):
        return [(value, language_name(value, get_language() or "en")) for value in values]
    return [(value, say(value)) for value in values]


def _starting(action: Action, name: str, info: FieldInfo, ask: Ask, record: Any, actor: Actor) -> Any:
    """What the field shows first: the action's own start, else the value of the record that it changes, else the default."""
    if ask.start:
        return ask.start(record, actor)
    if action.changes_itself and hasattr(record, name) and name != "because":
        return getattr(record, name)
    return None if info.is_required() else info.get_default(call_default_factory=True)


def _plain_field(kind: Any, ask: Ask, common: dict[str, Any], optional: bool) -> forms.Field:
    if kind in UNREADABLE:
        common["error_messages"]["invalid"] = say(UNREADABLE[kind])
    if kind is bool:
        return forms.BooleanField(**{**common, "required": False})
    if kind is int:
        return forms.IntegerField(**common)
    if kind is Decimal:
        return forms.DecimalField(localize=False, **common)
    if kind is float:
        return forms.FloatField(localize=False, **common)
    if kind is dt.datetime:
        return MomentField(**common)
    if kind is dt.date:
        return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **common)
    if kind is dt.time:
        return forms.TimeField(widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), **common)
    if ask.kind == "password":
        return forms.CharField(strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}), **common)
    widget = forms.Textarea(attrs={"rows": 4}) if ask.kind == "long_text" else forms.TextInput()
    return forms.CharField(max_length=ask.limit if isinstance(ask.limit, int) else None, widget=widget, empty_value=None if optional else "", **common)


class MomentField(forms.DateTimeField):
    """An instant, entered and shown in the reader's zone (Django makes it aware in the active zone)."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def __init__(self, **kwargs: Any) -> None:
        clock = _("On your clock (%(zone)s).") % {"zone": timezone.get_current_timezone_name()}
        kwargs["help_text"] = " ".join(filter(None, (kwargs.get("help_text", ""), clock)))
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **kwargs)


    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except forms.ValidationError as cause:
            if getattr(cause, "code", "") != "ambiguous_timezone":
                raise
            text = _("The clock in %(zone)s is put forward or back at this hour: it does not exist that day, or occurs twice. Choose another hour.")
            raise forms.ValidationError(text % {"zone": timezone.get_current_timezone_name()}) from cause


class LinesField(forms.CharField):
    """A list without fixed choices: one entry a line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def __init__(self, item: Any = str, **kwargs: Any) -> None:
        self.item = item
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        try:
            return [self.item(line) for line in lines]
        except (ValueError, ArithmeticError) as cause:
            raise forms.ValidationError(_("One entry a line; at least one line cannot be read.")) from cause


class CountriesField(LinesField):
    """Countries, one a line: by their names as the reader knows them, or by their codes."""

    def prepare_value(self, value: Any) -> Any:
        return super().prepare_value([country_name(code, get_language() or "en") for code in value] if isinstance(value, list | tuple) else value)

    def clean(self, value: Any) -> Any:
        codes = [country_code(line, get_language() or "en") for line in super().clean(value)]
        if unknown := [code for code in codes if not is_country(code)]:
            text = _("No country is known by this name: %(names)s. Write it as the list of countries does, or its code of ISO 3166-1, for example PE.")
            raise forms.ValidationError(text % {"names": ", ".join(unknown)})
        return codes


class UploadField(forms.FileField):
    """A file, read into the `Upload` that the action takes."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        file = super().clean(data, initial)
        if not file:
            return None
        if file.size > LIMIT:
            raise forms.ValidationError(_("The file has %(size)s MB; at most %(limit)s MB fit.") % {"size": round(file.size / 1e6, 1), "limit": LIMIT // 2**20})
        return Upload.of(file.name, file.content_type or "application/octet-stream", file.read())


class LocalizedWidget(forms.MultiWidget):
    """One input for each language, the reader's own first."""

    template_name = "vsm/widgets/localized.html"

    def __init__(self, attrs: Any = None) -> None:
        self.languages = sorted(LANGUAGES, key=lambda code: code != get_language())
        super().__init__({code: forms.Textarea(attrs={"rows": 2, "lang": code}) for code in self.languages}, attrs)

    def decompress(self, value: Any) -> list[Any]:
        return [(value or {}).get(code, "") for code in self.languages]


class LocalizedField(forms.MultiValueField):
    """A text in up to four languages; one is enough."""

    def __init__(self, **kwargs: Any) -> None:
        self.languages = sorted(LANGUAGES, key=lambda code: code != get_language())
        super().__init__(fields=[forms.CharField(required=False) for _code in self.languages], widget=LocalizedWidget(), require_all_fields=False, **kwargs)

    def compress(self, data_list: list[Any]) -> dict[str, str]:
        return {code: text for code, text in zip(self.languages, data_list, strict=False) if text}


class RankingWidget(forms.MultiWidget):
    """First choice, second choice…: plain selects, so that a phone without JavaScript can rank."""

    template_name = "vsm/widgets/ranking.html"

    def __init__(self, choices: list[tuple[str, str]], size: int) -> None:
        super().__init__({str(rank): forms.Select(choices=[("", "—"), *choices]) for rank in range(1, size + 1)})

    def decompress(self, value: Any) -> list[Any]:
        return list(map(str, value or []))


class RankingField(forms.MultiValueField):
    def __init__(self, choices: list[tuple[str, str]], item: Any, size: int, **kwargs: Any) -> None:
        self.item = item
        size = max(1, min(size, len(choices)) if choices else 1)
        fields = [forms.ChoiceField(choices=[("", "—"), *choices], required=False) for _rank in range(size)]
        super().__init__(fields=fields, widget=RankingWidget(choices, size), require_all_fields=False, **kwargs)

    def compress(self, data_list: list[Any]) -> list[Any]:
        chosen = [value for value in data_list if value]
        if len(set(chosen)) != len(chosen):
            raise forms.ValidationError(_("The same choice stands twice. Each may be ranked once."))
        return [self.item(value) for value in chosen]


class RowsWidget(forms.Widget):
    """A table: one line for each row of a list, with a few spare lines at the end."""

    template_name = "vsm/widgets/rows.html"

    def __init__(self, columns: Mapping[str, forms.Field], fixed: bool) -> None:
        self.columns, self.fixed = columns, fixed
        super().__init__()

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows = list(value or [])
        spare = 0 if self.fixed else SPARE_ROWS
        lines = [self._line(name, number, row) for number, row in enumerate([*rows, *({} for _spare in range(spare))])]
        context["widget"] |= {"labels": [c.label for n, c in self.columns.items() if not c.widget.is_hidden], "lines": lines, "count": len(lines), "grows": not self.fixed}
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, Any]]:
        try:
            count = min(int(data.get(f"{name}-count", 0)), 2000)
        except ValueError:
            count = 0
        return [
            {key: field.widget.value_from_datadict(data, files, f"{name}-{number}-{key}") for key, field in self.columns.items()}
            for number in range(count)
        ]

    def id_for_label(self, id_: str) -> str:
        return ""

    use_fieldset = True

    def _line(self, name: str, number: int, row: Any) -> list[dict[str, Any]]:
        values = row.model_dump() if isinstance(row, BaseModel) else row
        line = []
        for key, field in self.columns.items():
            prepared = field.prepare_value(values.get(key, field.initial))
            field_name = f"{name}-{number}-{key}"
            line.append(
                {
                    "label": field.label,
                    "hidden": field.widget.is_hidden,
                    "read_only": getattr(field, "read_only", False),
                    "text": prepared,
                    "html": field.widget.render(field_name, prepared, {"id": f"id_{field_name}", "aria-label": f"{field.label} {number + 1}"}),
                }
            )
        return line


class RowsField(forms.Field):
    """A list of rows of one pydantic model. Lines left wholly empty are no rows; problems name their line."""

    def __init__(self, row: type[BaseModel], record: Any, actor: Actor, **kwargs: Any) -> None:
        self.row = row
        columns: dict[str, forms.Field] = {}
        fixed = any(ask.kind == "hidden" for info in row.model_fields.values() for ask in info.metadata if isinstance(ask, Ask))
        for name, info in row.model_fields.items():
            ask = next((extra for extra in info.metadata if isinstance(extra, Ask)), Ask(name.replace("_", " ").capitalize()))
            column = field_for(info, ask, record, actor)
            column.initial = None if info.is_required() else info.get_default(call_default_factory=True)
            if ask.kind in {"hidden", "read_only"}:
                column.widget = forms.HiddenInput() if ask.kind == "hidden" else forms.TextInput(attrs={"readonly": True})
                column.read_only = ask.kind == "read_only"  # type: ignore[attr-defined]  # -- read by the widget
            elif not fixed and info.is_required() and isinstance(column.widget, forms.Select) and not _can_be_empty(column):
                # A spare line must be able to stay empty: whatever it began with would be taken for an answer, or every answer for it.
                column.widget.choices = [("", "—"), *column.widget.choices]
            column.required = False
            columns[name] = column
        self.columns = columns
        self.as_if_written: list[BaseModel] | None = None
        super().__init__(widget=RowsWidget(columns, fixed), **kwargs)

    def clean(self, value: Any) -> list[BaseModel]:
        rows, problems = [], []
        completed: list[BaseModel | None] = []
        for number, line in enumerate(value or [], start=1):
            given = {key: text for key, text in line.items() if text not in (None, "", [], {})}
            if not self._is_touched(given) and not any(isinstance(c.widget, forms.HiddenInput) for c in self.columns.values()):
                continue
            try:
                rows.append(self.row.model_validate(given))
                completed.append(rows[-1])
            except ValidationError as cause:
                completed.append(self._completed(given, cause))
                problems += [
                    _("Line %(line)s, %(column)s: %(problem)s") % {"line": number, "column": self._column(reason), "problem": say_reason(reason)}
                    for reason in obstacles.reasons(cause.errors())
                ]
        if problems:
            self.as_if_written = [row for row in completed if row is not None] if all(completed) else None
            raise forms.ValidationError(problems)
        if self.required and not rows:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return rows

    def _completed(self, given: Mapping[str, Any], cause: ValidationError) -> BaseModel | None:
        """The row with stand-ins for its missing texts; None when something else is wrong with it."""
        missing = [error["loc"][0] for error in cause.errors() if error["type"] == "missing" and type(self.columns.get(str(error["loc"][0]))) is forms.CharField]
        return self.row.model_validate({**given, **dict.fromkeys(map(str, missing), STAND_IN)}) if len(missing) == cause.error_count() else None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What is sent, when the form is shown once more; what a line only shows does not come back with it, and stands in its first form."""
        keys = [name for name, column in self.columns.items() if column.widget.is_hidden]
        shown = [name for name, column in self.columns.items() if getattr(column, "read_only", False)]
        begun = [row.model_dump() if isinstance(row, BaseModel) else row for row in initial or ()]
        known = {tuple(str(row.get(key)) for key in keys): row for row in begun}
        sent = list(data)
        while sent and not keys and not self._is_touched({key: text for key, text in sent[-1].items() if text not in (None, "", [], {})}):
            sent.pop()  # spare lines are drawn anew
        rows = [(row, known.get(tuple(str(row.get(key)) for key in keys), {})) for row in sent]
        return [{**row, **{name: first.get(name) for name in shown}} for row, first in rows]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return True

    def _column(self, reason: Reason) -> str:
        """What the column is called that a reason is about."""
        column = self.columns.get(reason.field.partition(".")[0])
        return str(column.label) if column else ""

    def _is_touched(self, given: Mapping[str, Any]) -> bool:
        """Whether somebody wrote in this line: a spare one has in it what its columns begin with."""
        asked = {key: column for key, column in self.columns.items() if not getattr(column, "read_only", False) and _can_be_empty(column)}
        return any(key in given and str(given[key]) != _as_sent(column) for key, column in asked.items())


def _as_sent(column: forms.Field) -> str:
    """What comes back from a line that was left as it began: 23:59 is shown, and sent, without its seconds."""
    begun = column.prepare_value(column.initial)
    return str(column.widget.format_value(begun) if isinstance(column.widget, forms.DateInput | forms.DateTimeInput | forms.TimeInput) else begun)


def _can_be_empty(column: forms.Field) -> bool:
    """Whether a line left alone has nothing in this column. A choice without an empty line has always something."""
    if isinstance(column.widget, forms.Select):
        return any(value == "" for value, _label in column.widget.choices)
    return not isinstance(column.widget, forms.HiddenInput | forms.CheckboxInput)


def title_in(texts: Any) -> str:
    return text_in(texts, get_language() or "en")


def _unwrapped(annotation: Any) -> tuple[Any, bool]:
    """`X | None` → (X, True)."""
    if get_origin(annotation) in (Union, types.UnionType):
        inner = [kind for kind in get_args(annotation) if kind is not type(None)]
        return inner[0], len(inner) < len(get_args(annotation))
    return annotation, False
