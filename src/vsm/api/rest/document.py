"""The OpenAPI document: what ninja writes, made true and readable to the end.

Ninja knows the statuses of refusals without their form, and nothing of the bodies that we read ourselves; it sorts and
explains nothing. Here each refusal becomes problem+json, each body gets its schema and an example, and the headers, tags
and ways of signing in are told.
"""

from typing import Any

from ninja.openapi.schema import REF_TEMPLATE, OpenAPISchema
from pydantic import BaseModel

from vsm.api.rest.bodies import SAFE
from vsm.api.rest.problems import PROBLEM_JSON, Problem
from vsm.kit.resources import RESOURCES
from vsm.kit.uploads import LIMIT

ABOUT = """Run virtual student mobility by program: whatever a page can do, a program can do.

Reads are `GET /api/v1/<nouns>` (pages by cursor, the list's own filters; `/api/v1/<nouns>.csv` gives all rows as CSV) and
`GET /api/v1/<nouns>/{id}`; `actions` in each answer names what you can do with the record now. Acts are
`POST /api/v1/<nouns>/{id}/<verb>` with the act's inputs as JSON. Every refusal is problem+json (RFC 9457) with all its reasons
at once, in the language of `Accept-Language` (es, pt-br, en, fr). What is not yours to see answers like what does not exist."""

FOR_ANYBODY: dict[str, Any] = {"security": [{}]}  # beside the ways of signing in: none at all
CSV_ANSWER: dict[str, Any] = {**FOR_ANYBODY, "responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}}

_HEADERS = {
    "ETag": "The record's version and a digest of this answer. Send it as If-None-Match to be told 304, or as If-Match with an act.",
    "Idempotency-Replayed": "`true` when the Idempotency-Key was used before: nothing was done a second time.",
    "Retry-After": "Seconds to wait.",
    "WWW-Authenticate": "How to sign in.",
}

DECIMAL = r"^[+-]?[0-9]{1,15}(\.[0-9]{1,12})?$"

_bodies: dict[str, type[BaseModel]] = {}


def takes(model: type[BaseModel]) -> dict[str, Any]:
    """What an operation says about its body; the schema itself goes among the components."""
    _bodies[model.__name__] = model
    needed = any(info.is_required() for info in model.model_fields.values())
    media: dict[str, Any] = {"schema": {"$ref": REF_TEMPLATE.format(model=model.__name__)}}
    return {"requestBody": {"content": {"application/json": media}, "required": needed}}


def bodies() -> dict[str, type[BaseModel]]:
    """Every act's inputs by the name under which the document describes them."""
    return dict(_bodies)


def finished(schema: OpenAPISchema) -> OpenAPISchema:
    """The document with everything that ninja leaves out. Changes it in place and returns it."""
    components = schema["components"]["schemas"]
    described: list[type[BaseModel]] = [Problem, *_bodies.values()]
    for model in described:
        told = model.model_json_schema(ref_template=REF_TEMPLATE)
        for name, part in {**told.pop("$defs", {}), model.__name__: told}.items():
            _put(components, name, part if model is Problem else _strict(part))
    for methods in schema["paths"].values():
        for method, operation in methods.items():
            _finish(operation, is_read=method == "get", components=components)
    schema["components"]["schemas"] = dict(sorted(components.items()))
    schema["tags"] = [{"name": entry.noun, "description": str(entry.label_plural)} for entry in RESOURCES.values()]
    return schema


def _put(components: dict[str, Any], name: str, part: dict[str, Any]) -> None:
    if components.setdefault(name, part) != part:
        raise RuntimeError(f"Two inputs of different form are called {name}: rename one, or the document would describe only the other.")


def _strict(schema: Any) -> Any:
    """A body's schema with the limits that `bodies.read` holds it to."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    told = {name: _strict(part) for name, part in schema.items()}
    if told.get("type") == "object" and ("properties" in told or "patternProperties" in told):
        told["additionalProperties"] = False
    elif told.get("type") == "integer":
        told = {"minimum": -SAFE, "maximum": SAFE} | told
    elif told.get("format") == "base64":
        told["maxLength"] = -(-LIMIT // 3) * 4
    elif {"type": "number"} in told.get("anyOf", ()):  # a decimal number: as a string it loses no digit
        told["anyOf"] = [{**part, "pattern": DECIMAL} if part == {"type": "string"} else part for part in told["anyOf"]]
    return told


def _finish(operation: dict[str, Any], *, is_read: bool, components: dict[str, Any]) -> None:
    answers = operation["responses"]
    for status, answer in answers.items():
        content = answer.get("content", {})
        if status >= 400:
            answer["content"] = {PROBLEM_JSON: {"schema": {"$ref": REF_TEMPLATE.format(model=Problem.__name__)}}}
        elif "text/csv" in content:
            answer["content"] = {"text/csv": content["text/csv"]}
    if is_read and "text/csv" not in answers[200]["content"]:
        answers[200]["headers"] = _headers("ETag")
        answers[304] = {"description": "Not Modified", "headers": _headers("ETag")}
    if not is_read:
        answers[200]["headers"] = _headers("Idempotency-Replayed")
        media = operation["requestBody"]["content"]["application/json"]
        media["example"] = sample(media["schema"], components)
    for status, name in ((401, "WWW-Authenticate"), (429, "Retry-After"), (503, "Retry-After")):
        answers[status]["headers"] = _headers(name)
    operation["responses"] = {str(status): answers[status] for status in sorted(answers)}


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}


_SAMPLES: dict[str, Any] = {
    "uuid": "01a2c0de-0000-7000-8000-000000000001", "date": "2027-03-01", "date-time": "2027-03-01T18:30:00-05:00", "time": "18:30:00",
    "base64": "aGVsbG8K", "integer": 1, "number": 1, "boolean": True, "string": "…", "null": None,
}  # fmt: skip


def sample(schema: dict[str, Any], components: dict[str, Any]) -> Any:
    """A value that the schema accepts: what must be given, filled plainly; defaults are left out."""
    if "$ref" in schema:
        return sample(components[schema["$ref"].rpartition("/")[2]], components)
    for key in ("examples", "enum"):
        if key in schema:
            return schema[key][0]
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], components)
    kind = schema.get("type")
    if kind == "object":
        return {name: sample(schema["properties"][name], components) for name in schema.get("required", ())} or _sample_mapping(schema, components)
    if kind == "array":
        return [sample(schema["items"], components)]
    return _SAMPLES.get(str(schema.get("format")), _SAMPLES.get(str(kind), "…"))


def _sample_mapping(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")][0]
    return {"en": sample(values, components)} if isinstance(values, dict) else {}
