"""The public doors of credentials: verifying, sharing, and what issuers publish."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.exchange.credentials.conftest import own_settings, quick_keys, stopped_clock, wired, world
from tests.exchange.credentials.given import NOW, World, work
from vsm.exchange.credentials import actions
from vsm.exchange.credentials.models import Credential, Share
from vsm.kit.keys import generate_key
from vsm.kit.signing import read_jwt, sign_jwt
from vsm.standards.open_badges.model import ResultDescription
from vsm.standards.open_badges.verify import Standing, jwt_in
from vsm.web.public import verdict

__all__ = ["own_settings", "quick_keys", "stopped_clock", "wired", "world"]
# WhiteNoise warns where nobody has run collectstatic, as in a fresh clone.
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def anybody() -> Client:
    return Client(headers={"accept-language": "en"})


def signed_in(world: World, name: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.cookies["django_language"] = "en"
    client.force_login(world.people[name], backend=BACKEND)
    return client


def answer(client: Client, **handed_in: Any) -> verdict.Answer:
    told: verdict.Answer = client.post("/verify/", handed_in).context["answer"]
    return told


def facts(told: verdict.Answer) -> dict[str, str]:
    return {fact["label"]: str(fact["value"]) for fact in told.facts}


# The page -----------------------------------------------------------------------------------------------------------


def test_the_page_asks_without_an_account(anybody: Client) -> None:
    page = anybody.get("/verify/")
    assert (page.status_code, "answer" in page.context) == (200, False)
    assert b'enctype="multipart/form-data"' in page.content


def test_it_tells_who_issued_what_to_whom(anybody: Client, world: World) -> None:
    told = answer(anybody, text=world.issue().token)
    assert (told.tone, told.verdict) == ("good", "Genuine and in force")
    shown = facts(told)
    assert (shown["What"], shown["Who issued it"]) == ("Estadística (Statistics)", "Universidad del Mapocho (en)")
    assert (shown["To whom"], shown["Grade (Notas de Chile)"], shown["Credits earned"]) == ("Ana Ñahui", "6.2", "6")
    assert [check["outcome"] for check in told.checks] == ["Yes"] * 11


@pytest.mark.parametrize("form", ["jwt", "json"])
def test_the_downloaded_file_can_be_uploaded(world: World, anybody: Client, form: str) -> None:
    credential = world.issue()
    file = signed_in(world, "ana").get(f"/credentials/{credential.pk}/credential.{form}").content
    told = answer(anybody, file=SimpleUploadedFile("credential", file))
    assert (told.verdict, jwt_in(file)) == ("Genuine and in force", credential.token)


def test_a_name_that_is_not_in_the_credential_is_not_told(anybody: Client, world: World) -> None:
    document = dict(read_jwt(world.issue().token)[1])
    subject = document["credentialSubject"]
    subject["identifier"] = [each for each in subject["identifier"] if each["hashed"]]
    told = answer(anybody, text=sign_jwt(document, generate_key(valid_from=NOW)))
    assert facts(told)["To whom"] == "The credential does not tell the name."


def test_an_altered_credential_is_refused_and_its_claims_are_marked_as_not_confirmed(
    anybody: Client, world: World
) -> None:
    header, payload, signature = world.issue().token.split(".")
    document = json.loads(base64.urlsafe_b64decode(payload + "=="))
    document["credentialSubject"]["result"][0]["value"] = "7.0"
    forged = base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
    page = anybody.post("/verify/", {"text": f"{header}.{forged}.{signature}"})
    told = page.context["answer"]
    assert (told.tone, told.verdict, told.is_reliable) == ("bad", "Not a genuine credential", False)
    assert b"What the text claims (not confirmed)" in page.content
    assert [check["question"] for check in told.checks if check["outcome"] == "No"] == [
        "Is it unaltered since it was signed?"
    ]


def test_a_revoked_credential_says_so(anybody: Client, world: World) -> None:
    credential = actions.revoke(world.issue(), by=world.ines, now=NOW, because="Issued by mistake.")
    work()
    told = answer(anybody, text=credential.token)
    assert (told.tone, told.verdict) == ("bad", "Revoked by the issuer")


def test_an_issuer_elsewhere_is_not_a_yes(anybody: Client, world: World) -> None:
    document = dict(read_jwt(world.issue().token)[1])
    document["iss"] = "https://elsewhere.example/"
    document["issuer"] = {**document["issuer"], "id": "https://elsewhere.example/", "name": "Universidad del Mapocho"}
    told = answer(anybody, text=sign_jwt(document, generate_key(valid_from=NOW)))
    assert (told.tone, told.verdict, told.is_reliable, told.issuer_url) == (
        "warn", "Could not be checked completely", False, "",
    )  # fmt: skip


def test_every_verdict_and_every_check_has_its_words() -> None:
    assert set(verdict.VERDICTS) == set(Standing)
    assert {tone for tone, _title, _meaning in verdict.VERDICTS.values()} == {"good", "warn", "bad"}


# Whatever is thrown at it --------------------------------------------------------------------------------------------


def unsigned(**changes: Any) -> bytes:
    """A complete credential without a good signature, with strange values in it."""
    document: dict[str, Any] = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
        "id": "urn:uuid:1", "type": ["VerifiableCredential", "OpenBadgeCredential"], "issuer": "https://x.example/",
        "iss": "https://x.example/", "validFrom": "2027-01-01T00:00:00Z", "nbf": 1798761600,
        "credentialSubject": {
            "id": "urn:uuid:2", "type": ["AchievementSubject"],
            "achievement": {"id": "urn:uuid:3", "type": ["Achievement"], "name": "X", "description": "Y", "criteria": {}},
        },
    }  # fmt: skip
    document.update(changes)
    parts = [json.dumps({"alg": "EdDSA", "kid": "a"}), json.dumps(document)]
    return b".".join([*(base64.urlsafe_b64encode(part.encode()).rstrip(b"=") for part in parts), b"AAAA"])


HOSTILE = {
    "empty": b"",
    "a megabyte": b"\x00\xff" * 500_000,
    "a megabyte of text": b"A" * 1_000_000,
    "binary": bytes(range(256)),
    "deep JSON": b'{"a":' * 50_000,
    "deep lists": b"[" * 100_000,
    "half an object": b"{",
    "a JSON number": b'{"jwt": 7}',
    "dots": b"...",
    "null bytes in three parts": b"e30\x00.e30.e30",
    "a script": b"<script>alert(1)</script>.<b>.</b>",
    "first year": unsigned(validFrom="0001-01-01T00:00:00+14:00"),
    "last year": unsigned(validFrom="9999-12-31T23:59:59-14:00", validUntil="9999-12-31T23:59:59-14:00"),
    "half a character": unsigned(
        name="\ud800", id="urn:\ud800", issuer={"id": "https://\ud83d/", "type": ["Profile"], "name": "\udfff"}
    ),
    "null in the issuer": unsigned(issuer="https://x.example/\x00"),
    "a million characters": unsigned(name="n" * 180_000),
    "endless number": b"e30." + base64.urlsafe_b64encode(b'{"nbf": 1e999999}').rstrip(b"=") + b".AAAA",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_gives_a_verdict_and_never_an_error(anybody: Client, name: str) -> None:
    page = anybody.post("/verify/", {"file": SimpleUploadedFile("x", HOSTILE[name])})
    pasted = anybody.post("/verify/", {"text": HOSTILE[name].decode("latin-1")})
    by_rest = anybody.post("/verify.json", HOSTILE[name], content_type="application/octet-stream")
    assert (page.status_code, pasted.status_code, by_rest.status_code) == (200, 200, 200)
    assert by_rest.json()["valid"] is False
    assert b"<script>alert" not in page.content


def test_markup_in_a_credential_stays_text(anybody: Client) -> None:
    subject = json.loads(base64.urlsafe_b64decode(unsigned().split(b".")[1] + b"=="))["credentialSubject"]
    subject["achievement"]["name"] = "<script>alert(1)</script>"
    page = anybody.post("/verify/", {"text": unsigned(credentialSubject=subject).decode()})
    assert b"&lt;script&gt;alert(1)" in page.content
    assert b"<script>alert" not in page.content


def test_endless_and_huge_numbers_of_credits_are_shown_as_they_are(anybody: Client) -> None:
    subject = json.loads(base64.urlsafe_b64decode(unsigned().split(b".")[1] + b"=="))["credentialSubject"]
    for amount in (10**400, 1e308, -1, 0):
        page = anybody.post(
            "/verify/", {"text": unsigned(credentialSubject={**subject, "creditsEarned": amount}).decode()}
        )
        assert page.status_code == 200


def test_hours_and_fingerprints_are_not_called_grades() -> None:
    described = [ResultDescription("1", "Average", "GradePointAverage"), ResultDescription("2", "Hours of work", "ext:Hours"), ResultDescription("3", "Credits", "ext:Credits")]
    results = [SimpleNamespace(description=each.id, value="7") for each in described]
    credential: Any = SimpleNamespace(achievement=SimpleNamespace(results=described), results=results)
    assert verdict._results(credential) == [("Grade (Average)", "7"), ("Hours of work", "7")]


# For programs -------------------------------------------------------------------------------------------------------


def test_programs_get_every_check_from_any_origin(anybody: Client, world: World) -> None:
    credential = world.issue()
    response = anybody.post("/verify.json", credential.token, content_type="text/plain")
    told = response.json()
    assert (told["standing"], told["valid"], {check["outcome"] for check in told["checks"]}) == (
        "valid",
        True,
        {"passed"},
    )
    assert (told["credential"]["learner"], told["credential"]["results"]) == (
        ["Ana Ñahui"], [{"scale": "Grade (Notas de Chile)", "value": "6.2"}],
    )  # fmt: skip
    assert response["Access-Control-Allow-Origin"] == "*"
    assert anybody.options("/verify.json").status_code == 204
    assert anybody.get("/verify.json").status_code == 405


def test_no_csrf_token_is_asked_of_a_program(world: World) -> None:
    strict = Client(enforce_csrf_checks=True)
    token = world.issue().token
    assert strict.post("/verify.json", token, content_type="text/plain").json()["valid"] is True
    assert strict.post("/verify.json", {"text": token}).json()["valid"] is True


# Sharing ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def shared(world: World) -> Credential:
    return actions.share(world.issue(), by=world.student, now=NOW)


def test_whoever_has_the_link_sees_and_downloads_it_and_nobody_finds_it(anybody: Client, shared: Credential) -> None:
    link = f"/c/{Share.objects.get().token}/"
    page = anybody.get(link)
    assert (page.status_code, page.context["answer"].verdict) == (200, "Genuine and in force")
    assert (page["X-Robots-Tag"], page["Cache-Control"]) == ("noindex, nofollow", "private, no-store")
    assert anybody.get(f"{link}credential.jwt").content.decode() == shared.token


def test_the_link_ends_with_the_sharing(anybody: Client, shared: Credential, world: World) -> None:
    token = Share.objects.get().token
    actions.unshare(shared, by=world.student, now=NOW)
    paths = [f"/c/{token}/", f"/c/{token}/credential.jwt", "/c/unknown/", "/c/%00/", "/c/ñ/"]
    assert [anybody.get(path).status_code for path in paths] == [404] * 5


def test_a_shared_credential_that_was_revoked_says_so_and_why(
    anybody: Client, shared: Credential, world: World
) -> None:
    actions.revoke(shared, by=world.ines, now=NOW, because="Issued by mistake.")
    work()
    page = anybody.get(f"/c/{Share.objects.get().token}/")
    assert (page.context["answer"].verdict, page.context["because"]) == ("Revoked by the issuer", "Issued by mistake.")


# The credential's own page -------------------------------------------------------------------------------------------


def test_the_student_finds_files_link_and_code_on_the_page(world: World, shared: Credential) -> None:
    page = signed_in(world, "ana").get(f"/credentials/{shared.pk}/")
    link = f"http://testserver/c/{Share.objects.get().token}/"
    assert [each["url"] for each in page.context["downloads"]] == [
        f"/credentials/{shared.pk}/credential.jwt", f"/credentials/{shared.pk}/credential.json",
    ]  # fmt: skip
    assert (page.context["share_link"], page.content.count(b'<svg role="img"')) == (link, 1)
    assert b"style=" not in page.content


def test_an_office_sees_the_credential_without_the_student_s_link(world: World, shared: Credential) -> None:
    page = signed_in(world, "ines").get(f"/credentials/{shared.pk}/")
    assert (page.status_code, page.context["share_link"], bool(page.context["signing"])) == (200, "", True)
    assert Share.objects.get().token.encode() not in page.content
    assert signed_in(world, "rosa").get(f"/credentials/{shared.pk}/").context["signing"] == {}


@pytest.mark.parametrize("part", ["", "history/", "credential.jwt", "credential.json", "revoke/"])
def test_strangers_find_nothing(world: World, shared: Credential, part: str) -> None:
    for client in (signed_in(world, "dora"), Client()):
        assert client.get(f"/credentials/{shared.pk}/{part}").status_code == 404


def test_before_it_is_signed_there_is_nothing_to_download(world: World) -> None:
    (first, *_others) = world.request()
    client = signed_in(world, "ana")
    assert client.get(f"/credentials/{first.pk}/").context["is_waiting"] is True
    assert client.get(f"/credentials/{first.pk}/credential.jwt").status_code == 404
    assert signed_in(world, "ines").get(f"/credentials/{first.pk}/").context["signing"]["worker_missing"] is True


def test_the_list_takes_as_many_queries_for_three_as_for_one(world: World) -> None:
    world.issue()
    client = signed_in(world, "ines")
    client.get("/credentials/")
    counts = []
    for _round in range(2):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page = client.get("/credentials/")
        counts.append((len(captured), page.context["listing"].total))
        actions.revoke(world.credential(), by=world.ines, now=NOW, because="Again.")
        world.request()
        work()
    assert counts == [(counts[0][0], 2), (counts[0][0], 3)]


@pytest.mark.parametrize(
    ("query", "found"),
    [("state=issued", 2), ("state=revoked", 0), ("shared=yes", 1), ("shared=no", 1), ("shared=x", 0), ("organisation=x", 0), ("q=estadistica", 1)],
)  # fmt: skip
def test_the_list_narrows(world: World, shared: Credential, query: str, found: int) -> None:
    assert signed_in(world, "ines").get(f"/credentials/?{query}").context["listing"].total == found


# What issuers publish -----------------------------------------------------------------------------------------------


def published(world: World) -> dict[str, str]:
    credential = world.issue()
    here = f"/issuers/{world.host.pk}/"
    return {
        f"{here}jwks.json": "application/jwk-set+json",
        f"{here}did.json": "application/did+json",
        f"{here}keys/{credential.kid}": "application/jwk+json",
        f"/status-lists/{world.host.pk}/1/": "application/vc+jwt",
    }


def test_what_is_published_can_be_read_from_anywhere_and_kept_for_five_minutes(anybody: Client, world: World) -> None:
    for path, content_type in published(world).items():
        response = anybody.get(path)
        assert (response.status_code, response["Content-Type"]) == (200, content_type)
        assert (response["Access-Control-Allow-Origin"], response["Cache-Control"]) == ("*", "public, max-age=300")
        again = anybody.get(path, headers={"if-none-match": response["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (anybody.head(path).status_code, anybody.options(path).status_code, anybody.post(path).status_code) == (
            200,
            204,
            405,
        )


def test_no_private_part_of_a_key_is_published(anybody: Client, world: World) -> None:
    for path in published(world):
        assert b'"d"' not in anybody.get(path).content


def test_the_issuer_has_a_page_for_people_and_a_profile_for_programs(anybody: Client, world: World) -> None:
    credential = world.issue()
    address = f"/issuers/{world.host.pk}/"
    page = anybody.get(address)
    assert (page.status_code, credential.kid.encode() in page.content, "Accept" in page["Vary"]) == (200, True, True)
    profile = anybody.get(address, headers={"accept": "application/json"}).json()
    assert (profile["id"], profile["type"]) == (f"http://testserver{address}", ["Profile"])
    assert anybody.get(f"/issuers/{credential.pk}/").status_code == 404
