"""A transcript is frozen when it is issued: its content, its fingerprint, and the accessible PDF made once from it."""

import hashlib
import json
import re
import zlib

import pytest

from tests.exchange.recognition.given import LATER, NOW, world
from vsm.exchange.catalogue.models import Opportunity
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.exchange.recognition import actions
from vsm.exchange.recognition.models import Transcript
from vsm.exchange.recognition.transcript import LABELS, canonical, digest_of, typeset
from vsm.kit import files

pytestmark = pytest.mark.django_db


# A literal string: escapes, and parentheses that need none because they are balanced (here at most two deep).
PLAIN = rb"(?:\\.|[^\\()])*"
LITERAL = rb"\((?:%s\((?:%s\(%s\))*%s\))*%s\)" % (PLAIN, PLAIN, PLAIN, PLAIN, PLAIN)


def words_of(pdf):
    """The text of a PDF whose fonts carry ToUnicode tables, in the order it is drawn; spaces left out.

    Written out here because no PDF reader is among the project's tools: typst writes plain objects, one content stream
    a page, two-byte glyph codes and bfchar tables, and that is all that is read.
    """
    objects = {int(n): body for n, body in re.findall(rb"(\d+) 0 obj\n(.*?)\nendobj", pdf, re.DOTALL)}
    told = []
    for page in (body for body in objects.values() if re.match(rb"<<\s*/Type/Page/", body)):
        resources = objects[int(re.search(rb"/Resources (\d+) 0 R", page)[1])]
        block = re.search(rb"/Font<<(.*?)>>", resources)[1]
        fonts = {name: _letters(objects, int(number)) for name, number in re.findall(rb"/(\w+) (\d+) 0 R", block)}
        told.append(_drawn(_stream(objects[int(re.search(rb"/Contents (\d+) 0 R", page)[1])]), fonts))
    return "".join(told).replace(" ", "").replace("\xa0", "")


def _drawn(stream, fonts):
    told, letters = [], {}
    for _skipped, font, run in re.findall(
        rb"(<<.*?>>)|/(\w+) [\d.]+ Tf|(<[0-9A-Fa-f]+>|%s)" % LITERAL, stream, re.DOTALL
    ):
        if font:
            letters = fonts[font]
        elif run:
            codes = _codes(run)
            told.append("".join(letters[codes[at : at + 2]] for at in range(0, len(codes), 2)))
    return "".join(told)


def _codes(piece):
    if piece.startswith(b"<"):
        return bytes.fromhex(piece[1:-1].decode())
    escapes = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
    return re.sub(
        rb"\\([0-7]{1,3}|.)",
        lambda m: bytes([int(m[1], 8)]) if m[1].isdigit() else escapes.get(m[1], m[1]),
        piece[1:-1],
        flags=re.DOTALL,
    )


def _stream(body):
    found = re.search(rb"stream\r?\n(.*)\r?\nendstream", body, re.DOTALL)
    if found is None:
        return b""
    try:
        return zlib.decompress(found[1]) if b"FlateDecode" in body else found[1]
    except zlib.error:
        return b""


def _letters(objects, font):
    table = _stream(objects[int(re.search(rb"/ToUnicode (\d+)", objects[font])[1])])
    letters = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for code, text in re.findall(rb"<(\w+)>\s*<(\w+)>", block):
            letters[bytes.fromhex(code.decode())] = bytes.fromhex(text.decode()).decode("utf-16-be")
    return letters


def test_the_pdf_is_tagged_names_its_language_and_holds_every_name_grade_and_fingerprint():
    transcript = world().transcript("5.5")
    pdf = files.get(transcript.pdf_digest)
    assert re.search(rb"/MarkInfo\s*<<[^>]*/Marked true", pdf)
    assert b"/StructTreeRoot" in pdf
    assert b"pdfuaid:part>1<" in pdf
    assert b"/Lang(es)" in pdf
    words = words_of(pdf)
    for expected in (
        "Ana Ñahui",
        "20201234",
        "Universidad del Rímac",
        "Universidad del Mapocho",
        "Estadística",
        "MAT-201",
        "5.5",
        "2027-0001",
        "Chile, 1,0 a 7,0",
        transcript.digest,
    ):
        assert expected.replace(" ", "") in words


def test_hostile_text_is_text():
    w = world()
    Opportunity.objects.filter(code="MAT-201").update(title={"es": '#panic("x") *b* <b>&amp; \\ ` $1$'})
    assert '#panic("x")*b*<b>&amp;\\`$1$' in words_of(files.get(w.transcript("5.5").pdf_digest))


def test_the_fingerprint_is_of_the_canonical_content():
    transcript = world().transcript("5.5")
    transcript.refresh_from_db()
    assert (
        transcript.digest == digest_of(transcript.content) == hashlib.sha256(canonical(transcript.content)).hexdigest()
    )
    assert json.loads(canonical(transcript.content)) == transcript.content
    assert digest_of({**transcript.content, "number": "2027-0002"}) != transcript.digest


def test_nothing_that_changes_later_reaches_an_issued_transcript():
    w = world()
    transcript = w.transcript("5.5")
    content, pdf = dict(transcript.content), files.get(transcript.pdf_digest)
    Opportunity.objects.update(title={"es": "Otro título"}, credits=1)
    Organisation.objects.update(name={"es": "Otro nombre"}, grade_scale="us")
    Person.objects.update(name="Otra persona", language="fr")
    kept = Transcript.objects.get(pk=transcript.pk)
    assert (kept.content, kept.digest, kept.language) == (content, digest_of(content), "es")
    assert files.get(kept.pdf_digest) == pdf
    edition = actions.reissue(kept, by=w.ines, now=LATER, because="Nombres nuevos")
    assert edition.content["components"][0]["title"] == {"es": "Otro título"}
    assert Transcript.objects.get(pk=transcript.pk).content == content


def test_the_content_explains_itself_without_our_rulebook():
    content = world().transcript("5.5").content
    assert content["grade_scales"][0]["facts"] == {
        "best": "7.0",
        "worst": "1.0",
        "pass": "4.0",
        "step": "0.1",
        "letters": "",
        "unranked": "",
    }
    assert content["credit_systems"][0]["facts"] == {"low": "24", "high": "31"}
    assert content["grade_scales"][0]["source"]
    assert set(content["legend"][0]["text"]) == {"es", "pt-br", "en", "fr"}
    assert content["host"]["ror"] == "https://ror.org/02mhbdp94"
    assert content["learning_agreement"]["version"] == "1"


@pytest.mark.parametrize("language", ["es", "pt-br", "en", "fr"])
def test_it_is_typeset_in_the_students_language(language):
    w = world()
    Person.objects.filter(pk=w.ana.pk).update(language=language)
    w.final("5.5")
    w.drop_others(0)
    transcript = actions.issue_transcript(w.agreement, by=w.ines, now=NOW)
    assert transcript.language == language
    pdf = files.get(transcript.pdf_digest)
    assert f"/Lang({'pt-BR' if language == 'pt-br' else language})".encode() in pdf
    # Whatever the language of the labels, the English ones stand there for everybody else.
    assert all(LABELS[name].replace(" ", "") in words_of(pdf) for name in ("title", "courses", "grade"))


def test_a_transcript_of_forty_courses_fits_on_pages_with_a_repeated_header():
    content = dict(world().transcript("5.5").content)
    content["components"] = content["components"] * 40
    pdf = typeset(content, "0" * 64)
    assert words_of(pdf).count("MAT-201") == 40
    assert int(re.search(rb"/Type/Pages/Count (\d+)", pdf)[1]) >= 2
