"""From dataclasses to the JSON of an achievement credential, and to the signed JWT."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.keys import SigningKey
from vsm.kit.signing import sign_jwt
from vsm.kit.verdict import Reason
from vsm.standards.open_badges.model import (
    Achievement,
    Alignment,
    Credential,
    Edition,
    Evidence,
    Identifier,
    Identity,
    Issuer,
    RelatedResource,
    Result,
    ResultDescription,
    StatusEntry,
)
from vsm.standards.open_badges.shapes import OB_CONTEXT, VC_CONTEXT, moment, problems_in

T = TypeVar("T")


def write(credential: Credential) -> dict[str, Any]:
    """The unsigned credential. Raises `Invalid` with every problem at once, each with the path of its member."""
    document = _present(
        {
            "@context": [VC_CONTEXT, OB_CONTEXT],
            "id": credential.id,
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": credential.name,
            "description": credential.description,
            "issuer": _profile(credential.issuer),
            "validFrom": write_moment(credential.valid_from),
            "validUntil": write_moment(credential.valid_until),
            "awardedDate": write_moment(credential.awarded),
            "credentialSubject": _subject(credential),
            "credentialStatus": _status(credential.status),
            "evidence": _each(_evidence, credential.evidence),
            "relatedResource": _each(_resource, credential.resources),
        }
    )
    Invalid.because((*problems_in(document), *_naive_moments(credential)))
    return document


def write_achievement(achievement: Achievement) -> dict[str, Any]:
    """The achievement alone, to publish at its `id` (each language edition has its own)."""
    return {"@context": [VC_CONTEXT, OB_CONTEXT], **_achievement(achievement)}


def claims_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The JWT payload: the credential with the registered claims beside its members (OB 3.0 §8.2.4.1).

    Also fits other verifiable credentials (status lists); `sub` is the subject's `id` if it has one.
    """
    issuer, subject = document["issuer"], document["credentialSubject"]
    claims = {
        "iss": issuer["id"] if isinstance(issuer, Mapping) else issuer,
        "jti": document["id"],
        "nbf": _numeric_date(document["validFrom"]),
        "sub": subject.get("id"),
        "exp": _numeric_date(document["validUntil"]) if "validUntil" in document else None,
    }
    return {**document, **_present(claims)}


def sign(credential: Credential, key: SigningKey, *, key_url: str) -> str:
    """The credential as a compact JWS, ready to hand out. `key_url` ends in the key's thumbprint and serves its JWK.

    Raises `Invalid`: a problem of the credential, or a key that is not in use at `valid_from`.
    """
    payload = claims_of(write(credential))
    if not key.public.covers(credential.valid_from):
        raise Invalid(
            Reason(
                "key-window", N_("The signing key is not in use on the credential's date of issue."), {}, "validFrom"
            )
        )
    return sign_jwt(payload, key, typ="JWT", kid=key_url)


def write_moment(value: datetime | None) -> str:
    """Whole seconds in UTC with `Z` (OB 3.0 §B, DateTimeZ); empty for None."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else ""


def _subject(credential: Credential) -> dict[str, Any]:
    return _present(
        {
            "id": credential.learner.id,
            "type": ["AchievementSubject"],
            "identifier": _each(_identity, credential.learner.identities),
            "achievement": _achievement(credential.achievement),
            "result": _each(_result, credential.results),
            "creditsEarned": credential.credits_earned,
            "activityStartDate": write_moment(credential.started),
            "activityEndDate": write_moment(credential.ended),
            "term": credential.term,
            "narrative": credential.narrative,
        }
    )


def _achievement(achievement: Achievement) -> dict[str, Any]:
    return _present(
        {
            "id": achievement.id,
            "type": ["Achievement"],
            "achievementType": achievement.type,
            "name": achievement.name,
            "description": achievement.description,
            "inLanguage": achievement.language,
            "humanCode": achievement.code,
            "fieldOfStudy": achievement.field_of_study,
            "creditsAvailable": achievement.credits_available,
            "version": achievement.version,
            "creator": _profile(achievement.creator) if achievement.creator else None,
            "otherIdentifier": _each(_identifier, achievement.identifiers),
            "alignment": _each(_alignment, achievement.alignments),
            "resultDescription": _each(_result_description, achievement.results),
            "related": _each(_related, achievement.editions),
        }
    ) | {"criteria": _present({"id": achievement.criteria_url, "narrative": achievement.criteria})}


def _profile(issuer: Issuer) -> dict[str, Any]:
    return _present(
        {
            "id": issuer.id,
            "type": ["Profile"],
            "name": issuer.name,
            "url": issuer.url,
            "description": issuer.description,
            "email": issuer.email,
            "otherIdentifier": _each(_identifier, issuer.identifiers),
        }
    )


def _identifier(identifier: Identifier) -> dict[str, Any]:
    return {"type": "IdentifierEntry", "identifier": identifier.value, "identifierType": identifier.type}


def _identity(identity: Identity) -> dict[str, Any]:
    return {
        "type": "IdentityObject",
        "hashed": identity.hashed,
        "identityHash": identity.value,
        "identityType": identity.type,
        **_present({"salt": identity.salt}),
    }


def _alignment(alignment: Alignment) -> dict[str, Any]:
    return _present(
        {
            "type": ["Alignment"],
            "targetName": alignment.name,
            "targetUrl": alignment.url,
            "targetCode": alignment.code,
            "targetFramework": alignment.framework,
            "targetDescription": alignment.description,
            "targetType": alignment.type,
        }
    )


def _result_description(described: ResultDescription) -> dict[str, Any]:
    return _present(
        {
            "id": described.id,
            "type": ["ResultDescription"],
            "name": described.name,
            "resultType": described.type,
            "allowedValue": list(described.allowed),
            "valueMin": described.minimum,
            "valueMax": described.maximum,
            "requiredValue": described.required,
            "alignment": _each(_alignment, described.alignments),
        }
    )


def _result(result: Result) -> dict[str, Any]:
    return _present(
        {
            "type": ["Result"],
            "resultDescription": result.description,
            "value": result.value,
            "status": result.status,
            "alignment": _each(_alignment, result.alignments),
        }
    )


def _related(edition: Edition) -> dict[str, Any]:
    return _present(
        {
            "id": edition.id,
            "type": ["Related"],
            "inLanguage": edition.language,
            "name": edition.name,
            "version": edition.version,
        }
    )


def _status(entries: Sequence[StatusEntry]) -> object:
    written = [
        {
            "id": f"{entry.list_url}#{entry.index}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": entry.purpose,
            "statusListIndex": str(entry.index),
            "statusListCredential": entry.list_url,
        }
        for entry in entries
    ]
    return written[0] if len(written) == 1 else written


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return _present(
        {
            "id": evidence.id,
            "type": ["Evidence"],
            "name": evidence.name,
            "narrative": evidence.narrative,
            "description": evidence.description,
            "genre": evidence.genre,
        }
    )


def _resource(resource: RelatedResource) -> dict[str, Any]:
    return _present({"id": resource.id, "digestSRI": resource.digest, "mediaType": resource.media_type})


def _each(writer: Callable[[T], dict[str, Any]], items: Iterable[T]) -> list[dict[str, Any]]:
    return [writer(item) for item in items]


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    """Null values and empty arrays must be left out (OB 3.0 §A, JSON); False and 0 say something and stay."""
    return {name: value for name, value in members.items() if value is not None and value not in ("", [], ())}


def _numeric_date(text: str) -> int:
    return int(moment(text).timestamp())


def _naive_moments(credential: Credential) -> list[Reason]:
    moments = {
        "validFrom": credential.valid_from,
        "validUntil": credential.valid_until,
        "awardedDate": credential.awarded,
        "credentialSubject.activityStartDate": credential.started,
        "credentialSubject.activityEndDate": credential.ended,
    }
    return [
        Reason("naive-time", N_("%(path)s needs its offset from UTC."), {"path": path}, path)
        for path, value in moments.items()
        if value is not None and value.utcoffset() is None
    ]
