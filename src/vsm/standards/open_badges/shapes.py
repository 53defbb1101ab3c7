"""What an achievement credential must look like: one table for what we write and what we read.

The table follows OB 3.0 §B (Data Models). The licence of 1EdTech's documents does not clearly allow its JSON schemas to
be passed on, so this is our own description; it asks for what we use and lets unknown members pass, as the standard
does.
Problems are reported all at once, each with the path of its member.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

VC_CONTEXT = "https://www.w3.org/ns/credentials/v2"
OB_CONTEXT = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
ACHIEVEMENT_TYPES = frozenset(
    [
        "Achievement",
        "ApprenticeshipCertificate",
        "Assessment",
        "Assignment",
        "AssociateDegree",
        "Award",
        "Badge",
        "BachelorDegree",
        "Certificate",
        "CertificateOfCompletion",
        "Certification",
        "CommunityService",
        "Competency",
        "Course",
        "CoCurricular",
        "Degree",
        "Diploma",
        "DoctoralDegree",
        "Fieldwork",
        "GeneralEducationDevelopment",
        "JourneymanCertificate",
        "LearningProgram",
        "License",
        "Membership",
        "ProfessionalDoctorate",
        "QualityAssuranceCredential",
        "MasterCertificate",
        "MasterDegree",
        "MicroCredential",
        "ResearchDoctorate",
        "SecondarySchoolDiploma",
    ]
)
ALIGNMENT_TYPES = frozenset(
    [
        "ceasn:Competency",
        "ceterms:Credential",
        "CFItem",
        "CFRubric",
        "CFRubricCriterion",
        "CFRubricCriterionLevel",
        "CTDL",
    ]
)
RESULT_TYPES = frozenset(
    [
        "GradePointAverage",
        "LetterGrade",
        "Percent",
        "PerformanceLevel",
        "PredictedScore",
        "RawScore",
        "Result",
        "RubricCriterion",
        "RubricCriterionLevel",
        "RubricScore",
        "ScaledScore",
        "Status",
    ]
)
RESULT_STATUSES = frozenset(["Completed", "Enrolled", "Failed", "InProgress", "OnHold", "Provisional", "Withdrew"])
IDENTIFIER_TYPES = frozenset(
    [
        "name",
        "sourcedId",
        "systemId",
        "productId",
        "userName",
        "accountId",
        "emailAddress",
        "nationalIdentityNumber",
        "isbn",
        "issn",
        "lisSourcedId",
        "oneRosterSourcedId",
        "sisSourcedId",
        "ltiContextId",
        "ltiDeploymentId",
        "ltiToolId",
        "ltiPlatformId",
        "ltiUserId",
        "identifier",
    ]
)
MAX_PROBLEMS = 50


@dataclass(frozen=True)
class Member:
    """What one member must be. `shape` names a row of `SHAPES`; `many` lets a list stand, `list_only` asks for one."""

    kind: str = "text"
    required: bool = False
    many: bool = False
    list_only: bool = False
    shape: str = ""
    words: frozenset[str] = frozenset()
    extensible: bool = False


def _one(kind: str, **more: Any) -> Member:
    return Member(kind, required=True, **more)


def _type(word: str) -> Member:
    return Member("type", required=True, words=frozenset({word}))


def _many(shape: str) -> Member:
    return Member("object", many=True, list_only=True, shape=shape)


_TEXT, _URI, _TIME, _NUMBER = Member(), Member("uri"), Member("time"), Member("number")

SHAPES: Mapping[str, Mapping[str, Member]] = {
    "credential": {
        "@context": _one("context"),
        "id": _one("uri"),
        "type": _type("VerifiableCredential"),
        "issuer": _one("profile", shape="profile"),
        "validFrom": _one("time"),
        "validUntil": _TIME,
        "awardedDate": _TIME,
        "name": _TEXT,
        "description": _TEXT,
        "credentialSubject": _one("object", shape="subject"),
        "credentialStatus": Member("object", many=True, shape="status"),
        "evidence": _many("evidence"),
        "relatedResource": Member("object", many=True, shape="resource"),
    },
    "profile": {
        "id": _one("uri"),
        "type": _type("Profile"),
        "name": _TEXT,
        "url": _URI,
        "description": _TEXT,
        "email": _TEXT,
        "otherIdentifier": _many("identifier"),
    },
    "identifier": {
        "type": _type("IdentifierEntry"),
        "identifier": _one("text"),
        "identifierType": _one("word", words=IDENTIFIER_TYPES, extensible=True),
    },
    "subject": {
        "id": _URI,
        "type": _type("AchievementSubject"),
        "achievement": _one("object", shape="achievement"),
        "identifier": _many("identity"),
        "result": _many("result"),
        "creditsEarned": _NUMBER,
        "activityStartDate": _TIME,
        "activityEndDate": _TIME,
        "term": _TEXT,
        "narrative": _TEXT,
    },
    "identity": {
        "type": _type("IdentityObject"),
        "hashed": _one("boolean"),
        "identityHash": _one("text"),
        "identityType": _one("word", words=IDENTIFIER_TYPES, extensible=True),
        "salt": _TEXT,
    },
    "achievement": {
        "id": _one("uri"),
        "type": _type("Achievement"),
        "name": _one("text"),
        "description": _one("text"),
        "criteria": _one("object", shape="criteria"),
        "achievementType": Member("word", words=ACHIEVEMENT_TYPES, extensible=True),
        "inLanguage": Member("language"),
        "humanCode": _TEXT,
        "fieldOfStudy": _TEXT,
        "creditsAvailable": _NUMBER,
        "version": _TEXT,
        "creator": Member("profile", shape="profile"),
        "otherIdentifier": _many("identifier"),
        "alignment": _many("alignment"),
        "resultDescription": _many("result description"),
        "related": _many("related"),
    },
    "criteria": {"id": _URI, "narrative": _TEXT},
    "alignment": {
        "type": _type("Alignment"),
        "targetName": _one("text"),
        "targetUrl": _one("uri"),
        "targetCode": _TEXT,
        "targetFramework": _TEXT,
        "targetDescription": _TEXT,
        "targetType": Member("word", words=ALIGNMENT_TYPES, extensible=True),
    },
    "result description": {
        "id": _one("uri"),
        "type": _type("ResultDescription"),
        "name": _one("text"),
        "resultType": _one("word", words=RESULT_TYPES, extensible=True),
        "allowedValue": Member("text", many=True, list_only=True),
        "valueMin": _TEXT,
        "valueMax": _TEXT,
        "requiredValue": _TEXT,
        "alignment": _many("alignment"),
    },
    "result": {
        "type": _type("Result"),
        "resultDescription": _URI,
        "value": _TEXT,
        "status": Member("word", words=RESULT_STATUSES),
        "alignment": _many("alignment"),
    },
    "related": {
        "id": _one("uri"),
        "type": _type("Related"),
        "inLanguage": Member("language"),
        "version": _TEXT,
        "name": _TEXT,
    },
    "status": {"type": _one("text"), "id": _URI},
    "bitstring entry": {
        "statusPurpose": _one("text"),
        "statusListIndex": _one("index"),
        "statusListCredential": _one("uri"),
    },
    "evidence": {
        "type": _type("Evidence"),
        "id": _URI,
        "name": _TEXT,
        "narrative": _TEXT,
        "description": _TEXT,
        "genre": _TEXT,
    },
    "resource": {"id": _one("uri"), "digestSRI": _TEXT, "mediaType": _TEXT},
}

_URI_FORM = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_TIME_FORM = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")
_LANGUAGE_FORM = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_OB_CONTEXT_FORM = re.compile(r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)?\.json")
_INDEX_FORM = re.compile(r"0|[1-9]\d{0,9}")


def problems_in(document: object) -> tuple[Reason, ...]:
    """Everything that keeps `document` from being an achievement credential, at most `MAX_PROBLEMS` of them."""
    if not isinstance(document, dict):
        return (_problem("not-an-object", N_("%(path)s must be an object."), "$"),)
    found: list[Reason] = []
    for problem in _credential(document):
        found.append(problem)
        if len(found) == MAX_PROBLEMS:
            break
    return tuple(found)


def moment(text: str) -> datetime:
    """A checked `time` as an aware datetime. Raises ValueError for what looks right and is no date (31 February)."""
    return datetime.fromisoformat(text)


def as_list(value: Any) -> list[Any]:
    """The JSON-LD habit of leaving the brackets out around a single value (OB 3.0 §A, Compacted document form)."""
    return value if isinstance(value, list) else [value]


def _credential(document: Mapping[str, Any]) -> Iterator[Reason]:
    if "vc" in document:
        yield _problem(
            "vc-claim", N_("The credential is wrapped in a `vc` claim, the form of an older standard."), "vc"
        )
    yield from _object(document, "credential", "")
    yield from _badge_type(document)
    for path, entry in _entries(document, "credentialStatus"):
        if entry.get("type") == "BitstringStatusListEntry":
            yield from _object(entry, "bitstring entry", path)
    yield from _results(document)


def _object(value: Mapping[str, Any], shape: str, path: str) -> Iterator[Reason]:
    for name, member in SHAPES[shape].items():
        where = f"{path}.{name}" if path else name
        if name not in value:
            if member.required:
                yield _problem("missing", N_("%(path)s is missing."), where)
            continue
        yield from _member(value[name], member, where)


def _member(value: Any, member: Member, path: str) -> Iterator[Reason]:
    if not member.many:
        yield from _single(value, member, path)
        return
    if member.list_only and not isinstance(value, list):
        yield _problem("not-a-list", N_("%(path)s must be a list."), path)
        return
    for position, item in enumerate(as_list(value)):
        yield from _single(item, member, f"{path}[{position}]" if isinstance(value, list) else path)


def _single(value: Any, member: Member, path: str) -> Iterator[Reason]:
    if member.kind == "profile" and isinstance(value, str):
        member = _URI
    if member.shape:
        if isinstance(value, dict):
            yield from _object(value, member.shape, path)
        else:
            yield _problem("not-an-object", N_("%(path)s must be an object."), path)
        return
    if not _is(value, member):
        yield Reason(f"not-a-{member.kind}", _COMPLAINTS[member.kind], {"path": path, "words": _listed(member)}, path)


_COMPLAINTS = {
    "text": N_("%(path)s must be text."),
    "uri": N_("%(path)s must be a URI."),
    "time": N_("%(path)s must be a date and time with its offset, such as 2026-03-01T12:00:00Z."),
    "number": N_("%(path)s must be a number."),
    "boolean": N_("%(path)s must be true or false."),
    "word": N_("%(path)s must be one of: %(words)s."),
    "language": N_("%(path)s must be a language code, such as es or pt-BR."),
    "type": N_("%(path)s must include %(words)s."),
    "context": N_("%(path)s must begin with the contexts of VC 2.0 and Open Badges 3.0, in this order."),
    "index": N_("%(path)s must be a whole number written as text."),
}


def _is(value: Any, member: Member) -> bool:
    match member.kind:
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "type":
            return member.words <= {item for item in as_list(value) if isinstance(item, str)}
        case "context":
            return _is_context(value)
        case "word":
            return isinstance(value, str) and (
                value in member.words or (member.extensible and value.startswith("ext:"))
            )
    return isinstance(value, str) and _is_text(value, member.kind)


def _is_text(value: str, kind: str) -> bool:
    match kind:
        case "uri":
            return _URI_FORM.fullmatch(value) is not None
        case "language":
            return _LANGUAGE_FORM.fullmatch(value) is not None
        case "index":
            return _INDEX_FORM.fullmatch(value) is not None
        case "time":
            return _TIME_FORM.fullmatch(value) is not None and _is_moment(value)
    return True


def _is_moment(value: str) -> bool:
    try:
        moment(value)
    except ValueError:
        return False
    return True


def _is_context(value: Any) -> bool:
    if not isinstance(value, list) or len(value) < 2 or not isinstance(value[1], str):
        return False
    return value[0] == VC_CONTEXT and _OB_CONTEXT_FORM.fullmatch(value[1]) is not None


def _badge_type(document: Mapping[str, Any]) -> Iterator[Reason]:
    types = {item for item in as_list(document.get("type")) if isinstance(item, str)}
    if not types & {"AchievementCredential", "OpenBadgeCredential"}:
        yield Reason(
            "not-a-type",
            _COMPLAINTS["type"],
            {"path": "type", "words": "AchievementCredential / OpenBadgeCredential"},
            "type",
        )


def _results(document: Mapping[str, Any]) -> Iterator[Reason]:
    """A result must point at a description of the same achievement (OB 3.0 §B.1, Result.resultDescription)."""
    for _, subject in _entries(document, "credentialSubject"):
        described = {
            str(entry.get("id"))
            for _, achievement in _entries(subject, "achievement")
            for _, entry in _entries(achievement, "resultDescription")
        }
        for path, result in _entries(subject, "result"):
            target = result.get("resultDescription")
            if isinstance(target, str) and target not in described:
                where = f"credentialSubject.{path}.resultDescription"
                yield _problem("unknown-result", N_("%(path)s names no result that the achievement describes."), where)


def _entries(value: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    held = value.get(name)
    for position, item in enumerate(as_list(held)):
        if isinstance(item, dict):
            yield (f"{name}[{position}]" if isinstance(held, list) else name), item


def _listed(member: Member) -> str:
    return ", ".join(sorted(member.words))


def _problem(code: str, text: str, path: str) -> Reason:
    return Reason(code, text, {"path": path}, path)
