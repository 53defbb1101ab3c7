"""The catalogue's search index: tantivy behind one small interface.

One process at a time writes (the worker), any number read. A rebuild goes into a new generation beside the old one and
a pointer file is swapped at the end, so readers never see half an index. What people type is taken as plain words.
"""

import fcntl
import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import tantivy

from vsm.exchange.catalogue.coverage import Covered, coverage_query, starting_query
from vsm.exchange.catalogue.documents import Document, indexed
from vsm.exchange.catalogue.search_words import query_words, register_analyzers, schema, word_query
from vsm.kit.errors import Unavailable
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

LAYOUT = 1
"""Raise it when `search_words.schema` changes: older indexes then count as outdated and are rebuilt."""

FACETS = (
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
)
FILTERS = (*FACETS, "cefr", "isced_f", "zone")
SORTS = ("relevance", "starts", "updated", "title")

MOST_VALUES = 200
"""Values counted for one facet; selected values are always counted."""

DEEPEST = 10_000
"""The last hit that can be paged to. Beyond it people narrow the search."""

_POINTER, _LOCK, _GENERATIONS = "current.json", "writer.lock", "generations"
_HEAP = 64_000_000
_RELOAD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """A page of identifiers in order, the number of all hits, the counts {facet: {value: hits}}, and seconds taken.

    `approximate` says that nothing matched as typed and words that look alike were searched instead.
    """

    ids: tuple[str, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]]
    took: float
    approximate: bool = False


class Condition(StrEnum):
    READY = "ready"
    MISSING = "missing"
    OUTDATED = "outdated"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True)
class IndexState:
    """Whether the index can be searched; everything but READY is cured by a rebuild."""

    condition: Condition
    documents: int = 0
    generation: str = ""
    detail: str = ""


class IndexBusy(Unavailable):
    """Another process is writing."""


class IndexUnusable(Unavailable):
    """There is no index, or not one that this program can read."""


@dataclass
class _Opened:
    generation: str
    index: tantivy.Index
    looked_at: float = field(default_factory=time.monotonic)


class CatalogueIndex:
    """Search, and the writing of what is searched, below one directory. Safe to share between threads."""

    def __init__(self, directory: Path | str) -> None:
        self._directory = Path(directory)
        self._opened: _Opened | None = None
        self._guard = threading.Lock()

    # reading

    def search(
        self,
        text: str = "",
        filters: Mapping[str, Collection[str]] | None = None,
        *,
        language: str = "",
        page: int = 1,
        size: int = 20,
        sort: str = "relevance",
        open_only: bool = False,
        facets: Sequence[str] = FACETS,
        covered: Iterable[Covered] | None = None,
        since: date | None = None,
    ) -> Found:
        """Offerings that hold every word of `text` and, for each filter, one of its values.

        With `covered`, only those that one of these agreements covers, with `since` only those that start on that day or
        later, also in the counts.

        `language` is the reader's: hits in it come first among equals. Counts of a facet ignore the filter on that same
        facet, so that further values can be chosen. Without text, or with sort "starts", the next to start comes first.
        Raises IndexUnusable without an index and ValueError for an unknown filter, facet or sort.
        """
        began = time.perf_counter()
        chosen = {name: sorted(set(values)) for name, values in (filters or {}).items() if values}
        if open_only:
            chosen["open"] = ["true"]
        _refuse_unknown(chosen, facets, sort)
        index = self._current()
        searcher = index.searcher()
        words, approximate = query_words(text), False
        limit = None if covered is None else coverage_query(index.schema, covered)
        limit = _both(limit, None if since is None else starting_query(index.schema, since))
        query = _both(word_query(index, words, language), limit)
        total, hits = _page(searcher, _all_of(index, query, chosen), page, size, sort, bool(words))
        if not total and words:
            query = _both(word_query(index, words, language, alike=True), limit)
            total, hits = _page(searcher, _all_of(index, query, chosen), page, size, sort, bool(words))
            approximate = total > 0
        ids = tuple(str(searcher.doc(address)["id"][0]) for address in hits)
        return Found(
            ids, total, _facets(index, searcher, query, chosen, facets), time.perf_counter() - began, approximate
        )

    def reload(self) -> None:
        """See what other processes have written since. `search` does it by itself, at most once a second."""
        with self._guard:
            self._opened = self._fresh(self._opened)

    def state(self) -> IndexState:
        """What is there, without raising."""
        pointer = self._pointer()
        if pointer is None:
            return IndexState(Condition.MISSING)
        generation = str(pointer.get("generation", ""))
        if pointer.get("layout") != LAYOUT:
            return IndexState(Condition.OUTDATED, generation=generation)
        try:
            index = self._open(generation)
        except IndexUnusable as unusable:
            return IndexState(Condition.CORRUPT, generation=generation, detail=str(unusable))
        return IndexState(Condition.READY, index.searcher().num_docs, generation)

    # writing

    def rebuild(self, documents: Iterable[Document]) -> int:
        """Build a new generation from all documents and switch to it; readers keep the old one until then.

        Returns their number. Raises IndexBusy while another process writes. If `documents` fails on the way, the old
        generation stays.
        """
        with self._writing():
            generation = f"{time.time_ns():x}-{secrets.token_hex(4)}"
            folder = self._folder(generation)
            folder.mkdir(parents=True)
            try:
                count = _fill(folder, documents)
                _sync(folder)
                self._point_at(generation)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self._sweep(keep=generation)
        self.reload()
        return count

    def update(self, documents: Iterable[Document], deleted: Iterable[str] = ()) -> int:
        """Replace or add `documents`, forget `deleted` ids: all in one commit, or nothing. Returns the number written.

        Raises IndexBusy while another process writes and IndexUnusable without an index.
        """
        with self._writing():
            index = self._open(self._generation())
            count = 0
            with _committing(index) as writer:
                for document_id in deleted:
                    writer.delete_documents_by_term("id", document_id)
                for document in documents:
                    writer.delete_documents_by_term("id", document.id)
                    writer.add_document(indexed(document))
                    count += 1
        self.reload()
        return count

    # opening

    def _current(self) -> tantivy.Index:
        with self._guard:
            if self._opened is None or time.monotonic() - self._opened.looked_at >= _RELOAD_SECONDS:
                self._opened = self._fresh(self._opened)
            return self._opened.index

    def _fresh(self, opened: _Opened | None) -> _Opened:
        generation = self._generation()
        if opened is None or opened.generation != generation:
            return _Opened(generation, self._open(generation))
        try:
            opened.index.reload()
        except (ValueError, OSError) as cause:
            raise _unusable(N_("The search index cannot be read (%(cause)s). Rebuild it."), cause=str(cause)) from cause
        opened.looked_at = time.monotonic()
        return opened

    def _generation(self) -> str:
        pointer = self._pointer()
        if pointer is None:
            raise _unusable(N_("There is no search index yet. Build it."))
        if pointer.get("layout") != LAYOUT:
            raise _unusable(N_("The search index was made by another version of this program. Rebuild it."))
        return str(pointer.get("generation", ""))

    def _pointer(self) -> dict[str, Any] | None:
        try:
            pointer = json.loads((self._directory / _POINTER).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            return {}
        return pointer if isinstance(pointer, dict) else {}

    def _open(self, generation: str) -> tantivy.Index:
        folder = self._folder(generation)
        try:
            if not generation or not tantivy.Index.exists(str(folder)):
                raise _unusable(N_("The search index is incomplete. Rebuild it."))
            index = tantivy.Index.open(str(folder))
            register_analyzers(index)
            index.config_reader("manual")
            index.reload()
        except (ValueError, OSError) as cause:
            raise _unusable(N_("The search index cannot be read (%(cause)s). Rebuild it."), cause=str(cause)) from cause
        return index

    def _folder(self, generation: str) -> Path:
        return self._directory / _GENERATIONS / generation

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """The one writer. The lock belongs to the open file, so it also falls when the process dies."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / _LOCK).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as cause:
                raise IndexBusy(
                    Reason("index-busy", N_("Another process is writing the search index. Try again in a moment."))
                ) from cause
            yield

    def _point_at(self, generation: str) -> None:
        waiting = self._directory / f"{_POINTER}.new"
        with waiting.open("w", encoding="utf-8") as file:
            json.dump({"layout": LAYOUT, "generation": generation}, file)
            file.flush()
            os.fsync(file.fileno())
        waiting.replace(self._directory / _POINTER)
        _sync(self._directory)

    def _sweep(self, keep: str) -> None:
        """Remove old generations but the newest of them, which a reader may just be opening."""
        older = sorted(folder for folder in (self._directory / _GENERATIONS).iterdir() if folder.name != keep)
        for folder in older[:-1]:
            shutil.rmtree(folder, ignore_errors=True)


def _fill(folder: Path, documents: Iterable[Document]) -> int:
    index = tantivy.Index(schema(), path=str(folder))
    register_analyzers(index)
    count = 0
    with _committing(index) as writer:
        for document in documents:
            writer.add_document(indexed(document))
            count += 1
    return count


@contextmanager
def _committing(index: tantivy.Index) -> Iterator[tantivy.IndexWriter]:
    """A writer that commits at the end. The library's own context manager also commits what a failure left undone."""
    writer = index.writer(_HEAP, 1)
    try:
        yield writer
        writer.commit()
    except BaseException:
        writer.rollback()
        raise
    finally:
        writer.wait_merging_threads()


def _refuse_unknown(filters: Iterable[str], facets: Iterable[str], sort: str) -> None:
    unknown = [*(name for name in filters if name not in FILTERS), *(name for name in facets if name not in FACETS)]
    if unknown or sort not in SORTS:
        raise ValueError(f"Unknown filter or facet {unknown} or sort {sort!r}")


def _all_of(index: tantivy.Index, query: tantivy.Query | None, filters: Mapping[str, Sequence[str]]) -> tantivy.Query:
    parts = [] if query is None else [(tantivy.Occur.Must, query)]
    for name, values in filters.items():
        chosen = tantivy.Query.term_set_query(index.schema, name, [_storable(value) for value in values])
        parts.append((tantivy.Occur.Must, tantivy.Query.const_score_query(chosen, 0.0)))
    return tantivy.Query.boolean_query(parts) if parts else tantivy.Query.all_query()


def _both(query: tantivy.Query | None, limit: tantivy.Query | None) -> tantivy.Query | None:
    if query is None or limit is None:
        return query or limit
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, query), (tantivy.Occur.Must, limit)])


def _page(
    searcher: tantivy.Searcher, query: tantivy.Query, page: int, size: int, sort: str, has_words: bool
) -> tuple[int, list[tantivy.DocAddress]]:
    size = min(max(size, 1), 1000)
    offset = min((max(page, 1) - 1) * size, DEEPEST)
    if sort == "relevance" and has_words:
        result = searcher.search(query, size, offset=offset)
    else:
        column, order = {
            "updated": ("updated", tantivy.Order.Desc),
            "title": ("sort_title", tantivy.Order.Asc),
        }.get(sort, ("starts", tantivy.Order.Asc))
        result = searcher.search(query, size, offset=offset, order_by_field=column, order=order)
    return _hits(result), [address for _, address in result.hits]


def _facets(
    index: tantivy.Index,
    searcher: tantivy.Searcher,
    query: tantivy.Query | None,
    filters: Mapping[str, Sequence[str]],
    facets: Sequence[str],
) -> dict[str, dict[str, int]]:
    """Counts under all filters, but for a filtered facet under all filters except its own."""
    free = [name for name in facets if name not in filters]
    counts = _counted(searcher, _all_of(index, query, filters), free) if free else {}
    for name in facets:
        if name not in filters:
            continue
        others = {other: values for other, values in filters.items() if other != name}
        counts |= _counted(searcher, _all_of(index, query, others), [name])
        for value in filters[name]:
            if value not in counts[name]:
                counts[name][value] = _hits(searcher.search(_all_of(index, query, {**others, name: [value]}), 1))
    return {name: counts[name] for name in facets}


def _counted(searcher: tantivy.Searcher, query: tantivy.Query, facets: Sequence[str]) -> dict[str, dict[str, int]]:
    wanted = {name: {"terms": {"field": name, "size": MOST_VALUES, "segment_size": 65_000}} for name in facets}
    answer = searcher.aggregate(query, wanted)
    return {
        name: {str(bucket["key"]): int(bucket["doc_count"]) for bucket in answer[name]["buckets"]} for name in facets
    }


def _hits(result: tantivy.SearchResult) -> int:
    return int(result.count)  # type: ignore[attr-defined]  # -- it exists; only the stubs forget it


def _storable(text: str) -> str:
    """Without the lone surrogates that a hostile address can carry and no stored value has."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(text: str, **params: object) -> IndexUnusable:
    return IndexUnusable(Reason("index-unusable", text, params))
