"""The search index: what it finds, what it counts, what it survives, and who may write."""

import multiprocessing
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from bench.generate import documents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vsm.exchange.catalogue.documents import Document
from vsm.exchange.catalogue.index import FACETS, CatalogueIndex, Condition, IndexBusy, IndexUnusable

ROOT = Path(__file__).parents[3]


def offering(name: str, **facts: object) -> Document:
    plain = Document(
        id=name,
        code=f"C-{name}",
        titles={},
        bodies={},
        category="course",
        institution="unc",
        country="PE",
        language="es",
        cefr="",
        level="bachelor",
        isced_f="0511",
        mode="mixed",
        bandwidth="video",
        credit_system="ects",
        credits=5.0,
        seats=10,
        starts_on=date(2027, 1, 11),
        ends_on=date(2027, 5, 7),
        open=True,
        zone="America/Lima",
        updated=datetime(2026, 11, 1, tzinfo=UTC),
    )
    return replace(plain, **facts)  # type: ignore[arg-type]  # -- test facts are named by hand


COURSES = [
    offering(
        "stat-es",
        code="MAT-101",
        titles={"es": "Estadística aplicada a la salud pública"},
        bodies={"es": "Encuestas, regresión y gráficos."},
    ),
    offering(
        "intro-pt",
        titles={"pt-br": "Introdução à administração"},
        bodies={"pt-br": "Gestão de organizações e pessoas."},
        language="pt",
    ),
    offering(
        "econ-fr",
        titles={"fr": "Économie de l’environnement"},
        bodies={"fr": "Marchés, régulations, développement durable."},
        language="fr",
    ),
    offering(
        "run-en",
        code="HIS 220",
        titles={"en": "Studies in oral history"},
        bodies={"en": "Running interviews; archives."},
        language="en",
    ),
    offering("nandu-es", titles={"es": "El ñandú y otras aves"}, bodies={"es": "Ecologías de la pampa."}),
    offering(
        "both",
        titles={"es": "Ética de datos", "en": "Data ethics"},
        bodies={"es": "Privacidad.", "en": "Privacy and consent."},
    ),
]


@pytest.fixture(scope="module")
def courses(tmp_path_factory) -> CatalogueIndex:
    index = CatalogueIndex(tmp_path_factory.mktemp("courses"))
    assert index.rebuild(COURSES) == len(COURSES)
    return index


@pytest.fixture(scope="module")
def many() -> list[Document]:
    return list(documents(2_000, seed=7))


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory, many) -> CatalogueIndex:
    index = CatalogueIndex(tmp_path_factory.mktemp("catalogue"))
    index.rebuild(many)
    return index


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("estadística", "stat-es"),
        ("estadistica", "stat-es"),
        ("ESTADÍSTICAS APLICADAS", "stat-es"),
        ("Estadi\u0301stica", "stat-es"),
        ("estadis", "stat-es"),
        ("encuesta", "stat-es"),
        ("salud de la estadística", "stat-es"),
        ("introdução", "intro-pt"),
        ("introduções", "intro-pt"),
        ("introducao", "intro-pt"),
        ("administração de pessoas", "intro-pt"),
        ("organização", "intro-pt"),
        ("gestao pessoa", "intro-pt"),
        ("économie", "econ-fr"),
        ("economies", "econ-fr"),
        ("marché", "econ-fr"),
        ("l'environnement", "econ-fr"),
        ("regulation durable", "econ-fr"),
        ("study", "run-en"),
        ("runs", "run-en"),
        ("histor", "run-en"),
        ("archive oral", "run-en"),
        ("ñandú", "nandu-es"),
        ("nandu", "nandu-es"),
        ("pampa ecología", "nandu-es"),
        ("ética", "both"),
        ("ethics", "both"),
        ("privacidad", "both"),
        ("dato", "both"),
    ],
)
def test_a_course_is_found_in_its_language_with_or_without_accents_and_in_other_forms(courses, query, expected):
    found = courses.search(query)
    assert (found.ids, found.approximate) == ((expected,), False)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("estadítsica", "stat-es"),
        ("adminsitração", "intro-pt"),
        ("enviornnement", "econ-fr"),
        ("archivse", "run-en"),
        ("ethcis", "both"),
    ],
)
def test_a_slip_of_the_pen_finds_what_looks_alike_and_says_so(courses, query, expected):
    found = courses.search(query)
    assert (found.ids, found.approximate) == ((expected,), True)


def test_looking_alike_is_only_a_last_resort_and_never_for_short_words(courses):
    assert courses.search("ethcis").approximate
    assert not courses.search("ethics").approximate
    assert courses.search("avse").total == 0


@pytest.mark.parametrize("query", ["MAT-101", "mat 101", "mat101", "Mat101 "])
def test_a_code_is_found_however_it_is_typed(courses, query):
    assert courses.search(query).ids == ("stat-es",)


def test_a_whole_code_comes_before_texts_that_mention_it(tmp_path):
    index = CatalogueIndex(tmp_path)
    index.rebuild(
        [
            offering("other", titles={"es": "Después de BIO 210, BIO 210"}),
            offering("itself", code="BIO-210", titles={"es": "Ecología"}),
        ]
    )
    assert index.search("bio 210").ids == ("itself", "other")


def test_a_word_in_the_title_weighs_more_than_in_the_text(tmp_path):
    index = CatalogueIndex(tmp_path)
    index.rebuild(
        [
            offering("text", titles={"es": "Otra cosa"}, bodies={"es": "química química química"}),
            offering(
                "title", titles={"es": "Química"}, bodies={"es": "Otra cosa, con muchas palabras alrededor de ella"}
            ),
        ]
    )
    assert index.search("química").ids == ("title", "text")


def test_every_word_must_be_found(courses):
    assert courses.search("estadística ñandú").total == 0


def test_filters_choose_among_values_and_combine(courses):
    assert set(courses.search(filters={"language": ["pt", "fr"]}).ids) == {"intro-pt", "econ-fr"}
    assert courses.search("économie", {"language": ["es"]}).total == 0
    assert courses.search(filters={"language": ["es"], "country": ["BR"]}).total == 0
    assert courses.search(filters={"language": []}).total == len(COURSES)


def test_pages_follow_each_other_without_gap_or_repetition(catalogue, many):
    pages = [catalogue.search(page=page, size=300, sort="starts", facets=()).ids for page in range(1, 9)]
    assert [len(page) for page in pages] == [300, 300, 300, 300, 300, 300, 200, 0]
    assert sorted(name for page in pages for name in page) == sorted(document.id for document in many)


def test_sorting(catalogue, many):
    by_id = {document.id: document for document in many}
    starts = [by_id[name].starts_on for name in catalogue.search(size=200, sort="starts").ids]
    updated = [by_id[name].updated for name in catalogue.search(size=200, sort="updated").ids]
    titles = [
        next(iter(by_id[name].titles.values())).casefold() for name in catalogue.search(size=200, sort="title").ids
    ]
    assert starts == sorted(starts)
    assert updated == sorted((document.updated for document in many), reverse=True)[:200]
    assert titles == sorted(next(iter(document.titles.values())).casefold() for document in many)[:200]


def test_an_unknown_filter_facet_or_sort_is_a_mistake_of_the_program(courses):
    for wrong in ({"filters": {"colour": ["red"]}}, {"facets": ("colour",)}, {"sort": "luck"}):
        with pytest.raises(ValueError):
            courses.search(**wrong)


def value_of(document: Document, facet: str) -> str:
    own = {"field": document.isced_f[:2], "month": f"{document.starts_on:%Y-%m}", "open": str(document.open).lower()}
    return own.get(facet) or getattr(document, facet)


def counted(many: list[Document], filters: dict[str, list[str]]) -> dict[str, dict[str, int]]:
    """By hand: each facet under all filters but its own."""
    counts: dict[str, dict[str, int]] = {}
    for facet in FACETS:
        others = {name: values for name, values in filters.items() if name != facet}
        kept = [
            document for document in many if all(value_of(document, name) in values for name, values in others.items())
        ]
        counts[facet] = dict(Counter(value_of(document, facet) for document in kept))
        counts[facet] |= {value: counts[facet].get(value, 0) for value in filters.get(facet, ())}
    return counts


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"language": ["es"]},
        {"language": ["es", "fr"], "level": ["bachelor"]},
        {"country": ["PE", "BR"], "mode": ["synchronous"], "open": ["true"], "month": ["2027-03", "2027-04"]},
        {"field": ["00"], "bandwidth": ["text"], "credit_system": ["ects"], "category": ["course"]},
        {"institution": ["institution-000", "institution-299", "nobody"], "level": ["master"]},
    ],
)
def test_facets_count_what_counting_by_hand_counts(tmp_path, filters):
    many = [
        replace(document, institution=f"institution-{number % 150:03d}")
        for number, document in enumerate(documents(2_000, seed=7))
    ]
    index = CatalogueIndex(tmp_path)
    index.rebuild(many)
    found = index.search(filters=filters, size=1)
    assert found.facets == counted(many, filters)
    assert found.total == sum(
        all(value_of(document, name) in values for name, values in filters.items()) for document in many
    )


def test_facets_of_a_text_search_add_up_to_its_hits(catalogue):
    found = catalogue.search("introducción")
    assert found.total > 50
    assert {facet: sum(counts.values()) for facet, counts in found.facets.items()} == dict.fromkeys(FACETS, found.total)


def test_open_now(catalogue, many):
    found = catalogue.search(open_only=True, size=1000)
    assert found.total == sum(document.open for document in many)
    assert found.facets["open"] == {"true": found.total, "false": len(many) - found.total}


@pytest.mark.parametrize(
    "query",
    [
        *("\"'()[]{}-+*?^~\\/%&|!:<>"),
        *(")(", "title:", "title:x AND", "a OR", "[a TO b]", "IN [", "/x/", "x^3", "<script>", "  ", "__", "de la"),
        *("💥", "\x00", "\ud800", "estadística\x00\ud83d", "经济", "İ"),
        *("x" * 10_000, "palabra " * 2_000, "é" * 5_000),
    ],
)
def test_hostile_text_is_taken_as_plain_words(courses, query):
    found = courses.search(query)
    assert 0 <= found.total <= len(COURSES)
    assert courses.search(filters={"language": [query[:100]]}).total == 0


@given(query=st.text(max_size=60), value=st.text(max_size=20), page=st.integers(-3, 10**9), size=st.integers(-5, 10**6))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_people_can_send_raises(courses, query, value, page, size):
    found = courses.search(query, {"country": [value]}, page=page, size=size, language=value)
    assert len(found.ids) <= found.total


def test_signs_around_words_mean_nothing(courses):
    assert courses.search('"estadística" +(salud) -pública*').ids == ("stat-es",)


def test_an_update_replaces_adds_and_forgets(tmp_path):
    index = CatalogueIndex(tmp_path)
    index.rebuild(COURSES)
    renamed = replace(COURSES[0], titles={"es": "Probabilidad"}, bodies={})
    assert (
        index.update([renamed, offering("new", titles={"es": "Glaciología"})], deleted=["econ-fr", "never there"]) == 2
    )
    assert index.search("probabilidad").ids == ("stat-es",)
    assert index.search("glaciología").ids == ("new",)
    assert index.search("estadística").total == 0
    assert index.search("économie").total == 0
    assert index.search().total == len(COURSES)


def test_an_update_that_fails_changes_nothing(tmp_path):
    index = CatalogueIndex(tmp_path)
    index.rebuild(COURSES)

    def failing():
        yield offering("new", titles={"es": "Nuevo"})
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        index.update(failing(), deleted=["stat-es"])
    index.reload()
    assert index.search("nuevo").total == 0
    assert index.search("estadística").ids == ("stat-es",)
    assert index.update([], deleted=["stat-es"]) == 0
    assert index.search("estadística").total == 0


def test_a_rebuild_that_fails_leaves_the_old_index(tmp_path):
    index = CatalogueIndex(tmp_path)
    index.rebuild(COURSES)

    def failing():
        yield COURSES[0]
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        index.rebuild(failing())
    assert index.search().total == len(COURSES)
    assert len(list((tmp_path / "generations").iterdir())) == 1


def test_old_generations_are_removed_but_for_one(tmp_path):
    index = CatalogueIndex(tmp_path)
    for _ in range(4):
        index.rebuild(COURSES[:2])
    assert len(list((tmp_path / "generations").iterdir())) == 2
    assert index.search().total == 2


def test_a_reader_that_is_open_survives_rebuilds(tmp_path):
    writer, reader = CatalogueIndex(tmp_path), CatalogueIndex(tmp_path)
    writer.rebuild(COURSES)
    assert reader.search().total == len(COURSES)
    for size in (3, 2, 1):
        writer.rebuild(COURSES[:size])
    assert reader.search().total in (len(COURSES), 1)
    reader.reload()
    assert reader.search().total == 1


def test_without_an_index_the_state_says_so_and_a_rebuild_cures_it(tmp_path):
    index = CatalogueIndex(tmp_path / "not yet")
    assert index.state().condition is Condition.MISSING
    with pytest.raises(IndexUnusable):
        index.search("x")
    with pytest.raises(IndexUnusable):
        index.update(COURSES)
    index.rebuild(COURSES)
    assert (index.state().condition, index.state().documents) == (Condition.READY, len(COURSES))


def put(file, content):
    """Another file in its place: one that is cut short under the threads that still have it mapped kills the process (SIGBUS)."""
    file.unlink()
    file.write_bytes(content)


@pytest.mark.parametrize("damage", ["pointer", "empty pointer", "meta", "folder", "terms", "store", "fast", "layout"])
def test_a_damaged_index_is_told_and_rebuilt(tmp_path, damage):
    CatalogueIndex(tmp_path).rebuild(COURSES)
    generation = next((tmp_path / "generations").iterdir())
    match damage:
        case "pointer":
            (tmp_path / "current.json").write_text("{nonsense")
        case "empty pointer":
            (tmp_path / "current.json").write_text("")
        case "meta":
            (generation / "meta.json").write_text("{}")
        case "folder":
            shutil.rmtree(generation)
        case "terms":
            put(next(generation.glob("*.term")), b"")
        case "store" | "fast":
            file = next(generation.glob(f"*.{damage}"))
            put(file, file.read_bytes()[:-1])
        case "layout":
            (tmp_path / "current.json").write_text('{"layout": 0, "generation": "x"}')
    index = CatalogueIndex(tmp_path)
    assert index.state().condition in (Condition.CORRUPT, Condition.OUTDATED)
    with pytest.raises(IndexUnusable):
        index.search("estadística")
    index.rebuild(COURSES)
    assert index.search("estadística").ids == ("stat-es",)


WRITER = """
import sys
sys.path[:0] = [{src!r}, {root!r}]
from bench.generate import documents
from vsm.exchange.catalogue.index import CatalogueIndex

def slow():
    for number, document in enumerate(documents(30)):
        if number == 20:
            print("writing", flush=True)
            sys.stdin.readline()
        yield document

print(CatalogueIndex({directory!r}).rebuild(slow()), flush=True)
"""


def another_writer(directory: Path) -> subprocess.Popen[str]:
    code = WRITER.format(src=str(ROOT / "src"), root=str(ROOT), directory=str(directory))
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "writing\n"
    return process


def test_a_second_writer_is_told_while_readers_go_on_and_then_see_the_new_index(tmp_path):
    index = CatalogueIndex(tmp_path)
    index.rebuild(COURSES)
    other = another_writer(tmp_path)
    try:
        with pytest.raises(IndexBusy):
            index.update(COURSES[:1])
        with pytest.raises(IndexBusy):
            index.rebuild(COURSES[:1])
        assert index.search().total == len(COURSES)
        assert other.communicate("go on\n", timeout=60)[0] == "30\n"
    finally:
        other.kill()
        other.wait()
    time.sleep(1.05)
    assert index.search().total == 30


def test_the_lock_falls_with_a_killed_writer_and_the_old_index_stays(tmp_path):
    index = CatalogueIndex(tmp_path)
    index.rebuild(COURSES)
    other = another_writer(tmp_path)
    other.kill()
    other.communicate()
    assert index.search().total == len(COURSES)
    assert index.update([offering("after", titles={"es": "Después"})]) == 1
    assert index.search("después").ids == ("after",)


def _search(
    directory: str, answers: "multiprocessing.Queue[tuple[int, int]]", go_on: "multiprocessing.synchronize.Event"
) -> None:
    index = CatalogueIndex(directory)
    before = index.search().total
    answers.put((before, 0))
    go_on.wait(180)
    index.reload()
    answers.put((before, index.search().total))


def test_another_process_sees_an_update_after_its_reload(tmp_path):
    index = CatalogueIndex(tmp_path)
    index.rebuild(COURSES)
    context = multiprocessing.get_context("spawn")
    answers, go_on = context.Queue(), context.Event()
    reader = context.Process(target=_search, args=(str(tmp_path), answers, go_on))
    reader.start()
    try:
        assert answers.get(timeout=180) == (len(COURSES), 0)
        index.update([offering("new", titles={"es": "Nuevo"})])
        go_on.set()
        assert answers.get(timeout=180) == (len(COURSES), len(COURSES) + 1)
    finally:
        reader.join(30)
        reader.kill()


def test_the_generator_repeats_itself():
    assert list(documents(50, seed=3)) == list(documents(60, seed=3))[:50]
    assert list(documents(50, seed=3)) != list(documents(50, seed=4))
