"""Ana's credential: a course in Lima's partner university, with grade, credits and the transcript's digest."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from vsm.kit.keys import SigningKey, generate_key
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
from vsm.standards.open_badges.status_list import StatusList, StatusListCredential, sign_status_list
from vsm.standards.open_badges.verify import Verification, verify
from vsm.standards.open_badges.write import sign

ISSUER = "https://andes.example/issuers/andes"
KEYS = "https://andes.example/keys/"
LIST = "https://andes.example/status/1"


@dataclass
class Office:
    """The issuing office: a key, a credential, what it publishes, and what a reader at `now` can get hold of."""

    key: SigningKey
    credential: Credential
    now: datetime
    status: bytes | None = None

    def signed(self, **changes: object) -> str:
        return sign(replace(self.credential, **changes), self.key, key_url=KEYS + self.key.kid)

    def publish(self, *revoked: int, purpose: str = "revocation", **changes: object) -> bytes:
        bits = StatusList.empty().changed(dict.fromkeys(revoked, True))
        published = StatusListCredential(LIST, ISSUER, purpose, bits, datetime(2026, 7, 1, tzinfo=UTC))
        self.status = sign_status_list(replace(published, **changes), self.key, key_url=KEYS + self.key.kid).encode()
        return self.status

    def verify(self, data: str | bytes, *, keys: object = "published") -> Verification:
        published = (self.key.public,) if keys == "published" else keys
        return verify(
            data.encode() if isinstance(data, str) else data,
            resolve_keys=lambda issuer: published if issuer == ISSUER else None,
            resolve_status=lambda url: self.status if url == LIST else None,
            now=self.now,
        )


@pytest.fixture
def credential() -> Credential:
    fields = Alignment(
        name="Statistics",
        url="https://uis.unesco.org/en/topic/international-standard-classification-education-isced",
        code="0542",
        framework="ISCED-F 2013",
    )
    grade = ResultDescription(
        id="urn:uuid:019f3c1e-0000-7000-8000-0000000000a1",
        name="Nota final (Chile, 1,0 a 7,0)",
        type="RawScore",
        minimum="1.0",
        maximum="7.0",
        required="4.0",
    )
    ects = ResultDescription("urn:uuid:019f3c1e-0000-7000-8000-0000000000a2", "ECTS", "ext:EctsCredits")
    letter = ResultDescription(
        "urn:uuid:019f3c1e-0000-7000-8000-0000000000a3",
        "ECTS grade",
        "LetterGrade",
        allowed=("F", "E", "D", "C", "B", "A"),
    )
    return Credential(
        id="urn:uuid:019f3c1e-0000-7000-8000-000000000001",
        issuer=Issuer(
            ISSUER,
            "Universidad de los Andes Ficticia",
            url="https://andes.example/",
            identifiers=(Identifier("https://ror.org/00example", "ext:ror"), Identifier("andes.example", "ext:schac")),
        ),
        learner=Learner(
            "urn:uuid:019f3c1e-0000-7000-8000-000000000002",
            (
                Identity.concealed("ana@lima.example", "emailAddress", salt="5a17"),
                Identity("Ana Quispe Ñaupari", "name"),
            ),
        ),
        achievement=Achievement(
            id="https://andes.example/achievements/est101?lang=es",
            name="Estadística aplicada",
            description="Curso semestral a distancia.",
            criteria="Aprobar con **4,0** o más.",
            type="Course",
            language="es",
            code="EST101",
            field_of_study="Statistics",
            credits_available=6.0,
            alignments=(fields,),
            results=(grade, ects, letter),
            editions=(
                Edition("https://andes.example/achievements/est101?lang=pt-BR", "pt-BR", "Estatística aplicada"),
            ),
        ),
        valid_from=datetime(2026, 7, 20, 15, 30, tzinfo=UTC),
        awarded=datetime(2026, 7, 10, tzinfo=UTC),
        name="Estadística aplicada",
        results=(
            Result(grade.id, value="6.2"),
            Result(ects.id, value="6"),
            Result(letter.id, value="B"),
        ),
        credits_earned=6.0,
        started=datetime(2026, 3, 9, tzinfo=UTC),
        ended=datetime(2026, 7, 3, tzinfo=UTC),
        term="2026-1",
        status=(StatusEntry(LIST, 94567),),
        evidence=(Evidence("https://andes.example/transcripts/7", "Transcript of records", genre="Transcript"),),
        resources=(
            RelatedResource(
                "https://andes.example/transcripts/7.pdf",
                "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                "application/pdf",
            ),
        ),
    )


@pytest.fixture
def office(credential: Credential) -> Office:
    office = Office(
        key=generate_key(valid_from=datetime(2026, 1, 1, tzinfo=UTC)),
        credential=credential,
        now=datetime(2026, 11, 23, 12, tzinfo=UTC),
    )
    office.publish()
    return office
