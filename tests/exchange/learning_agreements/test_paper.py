"""The version as a page and as a PDF."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from tests.exchange.learning_agreements import given
from tests.exchange.learning_agreements.given import NOW, World, actor, fresh
from vsm.exchange.learning_agreements.actions import draft_version, present, sign
from vsm.exchange.learning_agreements.paper import paper_of, pdf_of
from vsm.exchange.learning_agreements.queries import LEARNING_AGREEMENT
from vsm.kit.localized import LANGUAGES

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_gives_a_tagged_pdf_that_names_its_language(world: World, language: str) -> None:
    agreement = world.agreement("Statistics", "Algebra #set $ [evil] \\")
    version = agreement.current_version
    assert version is not None
    made = pdf_of(agreement, version, language)
    assert made.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in made
    assert f"/Lang({language.replace('br', 'BR')})".encode() in made


def test_the_page_shows_the_fingerprint_and_each_signature_in_utc_and_in_the_signers_zone(world: World) -> None:
    agreement = world.agreement()
    draft_version(agreement, by=actor(world.bia), now=NOW, components=given.lines(agreement))
    present(agreement, by=actor(world.bia), now=NOW)
    agreement = fresh(agreement)
    at = datetime(2026, 8, 4, 2, 30, tzinfo=UTC)
    sign(agreement, by=actor(world.ana), now=at, digest=agreement.current_version.digest)
    paper = paper_of(fresh(agreement).current_version)
    assert paper["digest"] == agreement.current_version.digest
    assert paper["is_intact"]
    assert [(each["party"], each["name"], each["at"]) for each in paper["signatures"]] == [
        ("student", "Ana", "Tue 4 Aug 2026, 02:30 (UTC) · Mon 3 Aug 2026, 21:30 (America/Lima)"), ("home", "", ""), ("host", "", ""),
    ]  # fmt: skip
    with timezone.override("Europe/Paris"):  # under facts, where one person reads, it is that reader's clock
        assert LEARNING_AGREEMENT.values(fresh(agreement))["signatures"] == ["student: Ana, Tue 4 Aug 2026, 04:30 (Europe/Paris)"]
    line, = paper["lines"]
    assert (line["home"], line["home_credits"]) == ("ECO-301 Econometrics", "4")
    assert line["language"] == "Spanish"
