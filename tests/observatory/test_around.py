"""What a publication tells beside its studies: what gates measured, and the casebook, where sources disagree as a range."""

from vsm.observatory.publications.around import of_casebook, of_gates, works
from vsm.observatory.publications.telling import tell

SOURCES = [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}]


def claim(value: float, **told: object) -> dict[str, object]:
    return {"value": value, "grade": "reported", "source": "a", "about": "participants", "year": "2020/21", "unit": "", **told}


def case(slug: str, *claims: dict[str, object], regions: tuple[str, ...] = ()) -> dict[str, object]:
    return {"slug": slug, "regions": regions, "claims": claims, "sources": SOURCES}


def test_gates_become_figures_in_their_unit() -> None:
    facts = {fact.key: fact for fact in of_gates("outlook", [["coverage-5", True, 0.898, 0.75], ["placebos", False, 12.0, 30.0]])}
    assert {key: tell(fact, "", "en") for key, fact in facts.items()} == {
        "gate.outlook.coverage-5": "89.8%", "gate.outlook.placebos": "12", "gates.outlook.asked": "2", "gates.outlook.passed": "1",
    }  # fmt: skip


def test_models_and_cases_are_counted_by_kind_and_place_and_numbers_by_grade() -> None:
    models = [{"origin": "refined", "credit": "always", "bandwidth": "text"}, {"origin": "refined", "credit": "no", "bandwidth": "video"}]
    cases = [case("one", claim(5), regions=("oceania", "sub-saharan-africa")), case("two", claim(6, grade="audited"), regions=("oceania",))]
    facts = {fact.key: fact.value for fact in of_casebook(models, cases)}
    assert [facts[key] for key in ("models", "cases", "claims", "models.origin.refined", "models.origin.pandemic-born", "cases.region.oceania", "claims.audited", "claims.self-claimed")] == [2, 2, 2, 2, 0, 2, 1, 0]


def test_a_number_is_named_by_what_it_counts_and_when_and_a_disagreement_is_a_range_without_a_middle() -> None:
    told = case("one", claim(100), claim(78, about="institutions", year="2022"), claim(73, about="institutions", year="2022", source="b", grade="audited"), claim(48, about="women", year="", unit="per-cent"), claim(9, about=""))
    facts = {fact.key: fact for fact in of_casebook([], [told]) if fact.key.startswith("case.")}
    assert {key: (fact.value, fact.low, fact.high, fact.unit, fact.year, fact.note) for key, fact in facts.items()} == {
        "case.one.participants.2020-21": (100.0, None, None, "students", 2020, "reported"),
        "case.one.institutions.2022": (None, 73.0, 78.0, "count", 2022, "audited, reported"),
        "case.one.women": (0.48, None, None, "share", None, "reported"),
    }  # fmt: skip
    assert [work["id"] for work in works(facts.values())] == ["a", "b"]
