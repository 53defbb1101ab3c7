"""From the JSON of an achievement credential to dataclasses, ours or another issuer's."""

from collections.abc import Mapping
from typing import Any

from vsm.kit.errors import Invalid
from vsm.standards.open_badges.model import (
    Achievement,
    Alignment,
    Credential,
    Edition,
    Evidence,
    Identifier,
    Identity,
    Issuer,
    Learner,
    RelatedResource,
    Result,
    ResultDescription,
    StatusEntry,
)
from vsm.standards.open_badges.shapes import as_list, moment, problems_in

Json = Mapping[str, Any]


def read(document: object) -> Credential:
    """The credential in a JSON document or JWT payload. Raises `Invalid` with every problem at once.

    Members that we do not use are dropped; the signed text remains the record.
    """
    Invalid.because(problems_in(document))
    return _credential(document if isinstance(document, dict) else {})


def _credential(value: Json) -> Credential:
    subject = value["credentialSubject"]
    return Credential(
        id=value["id"],
        issuer=_profile(value["issuer"]),
        learner=Learner(subject.get("id", ""), tuple(map(_identity, subject.get("identifier", ())))),
        achievement=_achievement(subject["achievement"]),
        valid_from=moment(value["validFrom"]),
        valid_until=_moment(value, "validUntil"),
        awarded=_moment(value, "awardedDate"),
        name=value.get("name", ""),
        description=value.get("description", ""),
        results=tuple(map(_result, subject.get("result", ()))),
        credits_earned=subject.get("creditsEarned"),
        started=_moment(subject, "activityStartDate"),
        ended=_moment(subject, "activityEndDate"),
        term=subject.get("term", ""),
        narrative=subject.get("narrative", ""),
        status=status_entries(value),
        evidence=tuple(map(_evidence, value.get("evidence", ()))),
        resources=tuple(map(_resource, as_list(value.get("relatedResource", [])))),
    )


def status_entries(value: Json) -> tuple[StatusEntry, ...]:
    """The bitstring entries under `credentialStatus`; entries of other methods are left out."""
    return tuple(
        StatusEntry(entry["statusListCredential"], int(entry["statusListIndex"]), entry["statusPurpose"])
        for entry in as_list(value.get("credentialStatus", []))
        if entry["type"] == "BitstringStatusListEntry"
    )


def _achievement(value: Json) -> Achievement:
    return Achievement(
        id=value["id"],
        name=value["name"],
        description=value["description"],
        criteria=value["criteria"].get("narrative", ""),
        criteria_url=value["criteria"].get("id", ""),
        type=value.get("achievementType", ""),
        language=value.get("inLanguage", ""),
        code=value.get("humanCode", ""),
        field_of_study=value.get("fieldOfStudy", ""),
        credits_available=value.get("creditsAvailable"),
        version=value.get("version", ""),
        creator=_profile(value["creator"]) if "creator" in value else None,
        identifiers=tuple(map(_identifier, value.get("otherIdentifier", ()))),
        alignments=tuple(map(_alignment, value.get("alignment", ()))),
        results=tuple(map(_result_description, value.get("resultDescription", ()))),
        editions=tuple(map(_edition, value.get("related", ()))),
    )


def _profile(value: Json | str) -> Issuer:
    if isinstance(value, str):
        return Issuer(value)
    return Issuer(
        id=value["id"],
        name=value.get("name", ""),
        url=value.get("url", ""),
        description=value.get("description", ""),
        email=value.get("email", ""),
        identifiers=tuple(map(_identifier, value.get("otherIdentifier", ()))),
    )


def _identifier(value: Json) -> Identifier:
    return Identifier(value["identifier"], value["identifierType"])


def _identity(value: Json) -> Identity:
    return Identity(value["identityHash"], value["identityType"], value["hashed"], value.get("salt", ""))


def _alignment(value: Json) -> Alignment:
    return Alignment(
        name=value["targetName"],
        url=value["targetUrl"],
        code=value.get("targetCode", ""),
        framework=value.get("targetFramework", ""),
        description=value.get("targetDescription", ""),
        type=value.get("targetType", ""),
    )


def _result_description(value: Json) -> ResultDescription:
    return ResultDescription(
        id=value["id"],
        name=value["name"],
        type=value["resultType"],
        allowed=tuple(value.get("allowedValue", ())),
        minimum=value.get("valueMin", ""),
        maximum=value.get("valueMax", ""),
        required=value.get("requiredValue", ""),
        alignments=tuple(map(_alignment, value.get("alignment", ()))),
    )


def _result(value: Json) -> Result:
    return Result(
        description=value.get("resultDescription", ""),
        value=value.get("value", ""),
        status=value.get("status", ""),
        alignments=tuple(map(_alignment, value.get("alignment", ()))),
    )


def _edition(value: Json) -> Edition:
    return Edition(value["id"], value.get("inLanguage", ""), value.get("name", ""), value.get("version", ""))


def _evidence(value: Json) -> Evidence:
    return Evidence(*(value.get(name, "") for name in ("id", "name", "narrative", "description", "genre")))


def _resource(value: Json) -> RelatedResource:
    return RelatedResource(value["id"], value.get("digestSRI", ""), value.get("mediaType", ""))


def _moment(value: Json, name: str) -> Any:
    return moment(value[name]) if name in value else None
