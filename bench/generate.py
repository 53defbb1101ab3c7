"""Synthetic multilingual offerings for benchmarks and tests: seeded, so the same arguments give the same offerings.

Half Spanish, a quarter Portuguese, the rest English and French; titles of academic terms, bodies of pseudo-words whose
frequency follows Zipf's law, facets as skewed as real catalogues are. `documents(count)` streams them,
`csv_text(count)` gives rows of our own CSV.
"""

import csv
import io
import random
from bisect import bisect
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from vsm.exchange.catalogue.documents import Document

LANGUAGES = ("es", "pt-br", "en", "fr")
_TERMS = {
    "es": """
        introducción estadística aplicada cálculo álgebra gestión economía derecho internacional salud pública
        educación ingeniería programación historia filosofía psicología química física biología ecología
        migración literatura comunicación datos energía diseño enfermería nutrición sociología género lengua
        investigación taller proyecto redes seguridad turismo
    """,
    "pt-br": """
        introdução estatística aplicada cálculo álgebra gestão economia direito internacional saúde pública
        educação engenharia programação história filosofia psicologia química física biologia ecologia
        migração literatura comunicação dados energia desenho enfermagem nutrição sociologia gênero língua
        pesquisa oficina projeto redes segurança turismo
    """,
    "en": """
        introduction statistics applied calculus algebra management economics law international health public
        education engineering programming history philosophy psychology chemistry physics biology ecology
        migration literature communication data energy design nursing nutrition sociology gender language
        research workshop project networks security tourism
    """,
    "fr": """
        introduction statistique appliquée calcul algèbre gestion économie droit international santé publique
        éducation ingénierie programmation histoire philosophie psychologie chimie physique biologie écologie
        migration littérature communication données énergie conception soins nutrition sociologie genre langue
        recherche atelier projet réseaux sécurité tourisme
    """,
}
TERMS = {language: text.split() for language, text in _TERMS.items()}
_SYLLABLES = {
    "es": """
        ca ción tar men té dos lo ra ni so bre pa gue ñe mi en to ría les cu ver sa di fi co gra
    """,
    "pt-br": """
        ção ca dor men te ões são lho nha ra pa co es tu dos lí ti ca pro ces ê ná li se con
    """,
    "en": """
        ing tion er men ly al ness com pre sent ual ic the ory des ign net work sta ble man age
    """,
    "fr": """
        tion ment eur é cole phy sique lo gie con trô le no mie so cié té de ve lop pe sys tè me
    """,
}
SYLLABLES = {language: text.split() for language, text in _SYLLABLES.items()}
COUNTRIES = (
    "PE",
    "BR",
    "CO",
    "MX",
    "CL",
    "AR",
    "US",
    "FR",
    "ES",
    "PT",
    "CR",
    "UY",
    "EC",
    "BO",
    "PY",
    "CA",
    "DE",
    "KE",
    "IN",
    "JP",
)
ZONES = (
    "America/Lima",
    "America/Sao_Paulo",
    "America/Bogota",
    "America/Mexico_City",
    "Europe/Madrid",
    "Africa/Nairobi",
    "Asia/Kolkata",
)
LEVELS = ("bachelor", "master", "doctorate", "short-cycle")
MODES = ("synchronous", "asynchronous", "mixed")
CREDIT_SYSTEMS = ("ects", "us-credit", "sct-chile", "brazil", "satca-mexico", "colombia")
FIRST_START = date(2027, 1, 11)


def documents(count: int, *, seed: int = 1, institutions: int = 300, vocabulary: int = 20_000) -> Iterator[Document]:
    """`count` offerings; the i-th is the same for the same seed, whatever the count."""
    words = {language: _pseudo_words(language, vocabulary) for language in LANGUAGES}
    rare_first = list(accumulate(1 / rank**1.05 for rank in range(1, vocabulary + 1)))
    places = list(accumulate(1 / rank**0.9 for rank in range(1, institutions + 1)))
    for number in range(count):
        yield _document(random.Random(seed * 1_000_003 + number), number, words, rare_first, places)


def csv_text(count: int, *, seed: int = 1) -> str:
    """`count` rows in the format of `examples/mappings/openvsm.yaml`, with its header."""
    columns = (
        "code",
        "offering",
        "category",
        "title_es",
        "title_pt",
        "title_en",
        "title_fr",
        "description_en",
        "isced_f",
        "level",
        "credits",
        "credits_high",
        "credit_system",
        "language",
        "cefr",
        "mode",
        "bandwidth",
        "starts_on",
        "ends_on",
        "seats",
        "zone",
        "meetings",
    )
    file = io.StringIO(newline="")
    rows = csv.DictWriter(file, columns, restval="", lineterminator="\n")
    rows.writeheader()
    for document in documents(count, seed=seed):
        titles = {f"title_{language.split('-')[0]}": title for language, title in document.titles.items()}
        rows.writerow(
            {
                "code": document.code,
                "offering": f"{document.starts_on:%Y-%m}",
                "category": document.category,
                **titles,
                "description_en": next(iter(document.bodies.values())),
                "isced_f": document.isced_f,
                "level": document.level,
                "credits": f"{document.credits:g}",
                "credit_system": document.credit_system,
                "language": document.language,
                "cefr": document.cefr,
                "mode": document.mode,
                "bandwidth": document.bandwidth,
                "starts_on": document.starts_on,
                "ends_on": document.ends_on,
                "seats": document.seats,
                "zone": document.zone,
                "meetings": "Mon 09:00-10:50 Lecture; Wed 09:00-10:50 Lecture",
            }
        )
    return file.getvalue()


def _document(
    draw: random.Random, number: int, words: dict[str, list[str]], common: list[float], places: list[float]
) -> Document:
    language = draw.choices(LANGUAGES, (50, 25, 18, 7))[0]
    terms, pseudo = TERMS[language], words[language]
    title = " ".join(draw.choices(terms, k=draw.randint(2, 4))).capitalize() + f" {pseudo[number * 31 % len(pseudo)]}"
    body = " ".join([*(pseudo[_skewed(draw, common)] for _ in range(draw.randint(30, 60))), *draw.choices(terms, k=3)])
    titles = {language: title}
    if language != "en" and draw.random() < 0.3:
        titles["en"] = " ".join(draw.choices(TERMS["en"], k=3)).capitalize()
    place = _skewed(draw, places)
    starts_on = FIRST_START + timedelta(weeks=draw.randrange(52))
    return Document(
        id=f"{number:08x}-0000-7000-8000-000000000000",
        code=f"{title[:3].upper()}-{1000 + number}",
        titles=titles,
        bodies={language: body},
        category="course"
        if draw.random() < 0.8
        else draw.choice(("placement", "collaboration", "preparation", "programme")),
        institution=f"institution-{place:03d}",
        country=COUNTRIES[place % len(COUNTRIES)],
        language=language.split("-")[0],
        cefr=draw.choice(("", "B1", "B2", "C1")),
        level=draw.choices(LEVELS, (60, 28, 8, 4))[0],
        isced_f=f"{min(int(draw.expovariate(0.35)), 10):02d}{draw.randint(1, 4)}1",
        mode=draw.choices(MODES, (50, 30, 20))[0],
        bandwidth=draw.choices(("video", "audio", "text"), (60, 15, 25))[0],
        credit_system=draw.choice(CREDIT_SYSTEMS),
        credits=float(draw.randint(1, 12)),
        seats=draw.randint(2, 60),
        starts_on=starts_on,
        ends_on=starts_on + timedelta(weeks=16),
        open=draw.random() < 0.4,
        zone=ZONES[place % len(ZONES)],
        updated=datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number),
    )


def _pseudo_words(language: str, count: int) -> list[str]:
    draw, syllables, found = random.Random(f"words {language}"), SYLLABLES[language], dict[str, None]()
    while len(found) < count:
        found["".join(draw.choices(syllables, k=draw.randint(2, 5)))] = None
    return list(found)


def _skewed(draw: random.Random, weights: list[float]) -> int:
    return min(bisect(weights, draw.random() * weights[-1]), len(weights) - 1)
