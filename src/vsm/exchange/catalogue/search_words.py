"""How texts become words in the search index, and how words become a query, in Spanish, Portuguese, English and French.

A text stands in the index twice: folded (lower case, without accents) for whole words, beginnings and slips of the pen,
and stemmed in its own language for other forms of a word. Stemming comes before folding, because the stemmers need the
accents to see a suffix (`introdução`, `introduções` → `introdu`).
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import tantivy

LANGUAGE_STEMS = {"es": "spanish", "pt": "portuguese", "en": "english", "fr": "french"}

MOST_WORDS = 16
LONGEST_WORD = 40
"""Bytes. The index keeps no longer words, so a longer one in a query finds nothing."""

SHORTEST_BEGINNING = 3
SHORTEST_SLIP = 5
"""Letters from which a word may stand for words that begin with it, or that differ by one slip."""

_WORD = re.compile(r"[^\W_]+")
_ARTICLES = """
    a al con de del e el en la las los o para por que se sin su un una y
    a ao aos as com da das de do dos e em na nas no nos o os ou para pela pelo por que se sem um uma
    a an and for from in of on or the to with
    à au aux d de des du en et l la le les ou par pour sans sur un une
"""
_SMALL = frozenset(_ARTICLES.split())
_EXACT = (
    "id",
    "code",
    "category",
    "institution",
    "country",
    "language",
    "level",
    "field",
    "mode",
    "bandwidth",
    "credit_system",
    "month",
    "open",
    "cefr",
    "isced_f",
    "zone",
)
_UNFACETED = ("id", "code", "cefr", "isced_f", "zone")


@cache
def schema() -> tantivy.Schema:
    """The fields of the index. Changing them means raising `index.LAYOUT`."""
    builder = tantivy.SchemaBuilder()
    for name in _EXACT:
        builder.add_text_field(
            name, stored=name == "id", tokenizer_name="raw", index_option="basic", fast=name not in _UNFACETED
        )
    for name in ("title", "body", "code_words"):
        builder.add_text_field(name, tokenizer_name="folded", index_option="freq")
    for language in LANGUAGE_STEMS:
        builder.add_text_field(f"title_{language}", tokenizer_name=f"stem_{language}", index_option="freq")
        builder.add_text_field(f"body_{language}", tokenizer_name=f"stem_{language}", index_option="freq")
    builder.add_text_field("sort_title", tokenizer_name="raw", index_option="basic", fast=True)
    builder.add_integer_field("starts", indexed=True, fast=True)
    builder.add_integer_field("updated", indexed=False, fast=True)
    return builder.build()


def register_analyzers(index: tantivy.Index) -> None:
    """An opened index knows the names of its analyzers only."""
    index.register_tokenizer("folded", _analyzer(""))
    for language in LANGUAGE_STEMS:
        index.register_tokenizer(f"stem_{language}", _analyzer(language))


def squeezed(text: str) -> str:
    """A code as people type it in many ways: `MAT-101`, `mat 101` → `mat101`."""
    return "".join(_folded(word) for word in _WORD.findall(_composed(text)))


def query_words(text: str) -> tuple[str, ...]:
    """The words of whatever was typed, at most sixteen; signs mean nothing, small words count only when alone."""
    words = list(dict.fromkeys(_WORD.findall(_composed(text[:2_000]).casefold())))[:MOST_WORDS]
    return tuple(word for word in words if word not in _SMALL) or tuple(words)


def word_query(
    index: tantivy.Index, words: Sequence[str], language: str, *, alike: bool = False
) -> tantivy.Query | None:
    """Every word must be found, the last also as a beginning; a code typed whole comes first. None without words.

    With `alike`, words of five letters and more may differ by one slip (two from nine letters on).
    """
    if not words:
        return None
    last = len(words) - 1
    every = [
        (tantivy.Occur.Must, _word(index.schema, word, language, beginning=place == last, alike=alike))
        for place, word in enumerate(words)
    ]
    whole = tantivy.Query.term_query(index.schema, "code", "".join(_folded(word) for word in words), "basic")
    return tantivy.Query.disjunction_max_query(
        [tantivy.Query.boolean_query(every), tantivy.Query.const_score_query(whole, 1000.0)]
    )


def _word(fields: tantivy.Schema, word: str, language: str, *, beginning: bool, alike: bool) -> tantivy.Query:
    folded, reader = _folded(word), language.split("-")[0]
    forms = [
        _term(fields, "title", folded, 4.0),
        _term(fields, "body", folded, 1.2),
        _term(fields, "code_words", folded, 6.0),
    ]
    for each in LANGUAGE_STEMS:
        for stem in dict.fromkeys((_stemmed(each, word), _stemmed(each, folded))):
            preferred = 1.1 if each == reader else 1.0
            forms += [
                _term(fields, f"title_{each}", stem, 3.0 * preferred),
                _term(fields, f"body_{each}", stem, preferred),
            ]
    if beginning and len(folded) >= SHORTEST_BEGINNING:
        forms += [
            _near(fields, "title", folded, 0, 1.0),
            _near(fields, "body", folded, 0, 0.3),
            _near(fields, "code_words", folded, 0, 1.0),
        ]
    if alike and len(folded) >= SHORTEST_SLIP:
        slips = 2 if len(folded) >= 9 else 1
        forms += [_near(fields, "title", folded, slips, 2.0), _near(fields, "body", folded, slips, 0.5)]
    return tantivy.Query.disjunction_max_query(forms)


def _term(fields: tantivy.Schema, name: str, word: str, weight: float) -> tantivy.Query:
    return tantivy.Query.boost_query(tantivy.Query.term_query(fields, name, word, "freq"), weight)


def _near(fields: tantivy.Schema, name: str, word: str, slips: int, weight: float) -> tantivy.Query:
    return tantivy.Query.boost_query(
        tantivy.Query.fuzzy_term_query(fields, name, word, distance=slips, prefix=slips == 0), weight
    )


def _stemmed(language: str, word: str) -> str:
    tokens = _analyzer(language).analyze(word)
    return tokens[0] if tokens else word


def _folded(word: str) -> str:
    tokens = _analyzer("").analyze(word)
    return tokens[0] if tokens else word


def _composed(text: str) -> str:
    """One code point for one letter with its accent, as the stemmers expect."""
    return unicodedata.normalize("NFC", text)


@cache
def _analyzer(language: str) -> tantivy.TextAnalyzer:
    builder = (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(LONGEST_WORD))
        .filter(tantivy.Filter.lowercase())
    )
    if language:
        builder = builder.filter(tantivy.Filter.stemmer(LANGUAGE_STEMS[language]))
    return builder.filter(tantivy.Filter.ascii_fold()).build()
