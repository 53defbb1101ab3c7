"""Every statement that a test sends to SQLite is asked of PostgreSQL too (tests/echo.py)."""

from collections.abc import Callable

import pytest
from django.db import connections, transaction
from django.db.models import F, FloatField, Func

from tests.echo import Echo, Refused
from vsm.kit.models import Job


@pytest.fixture(autouse=True)
def _there(echo: Echo | None, db: None) -> None:
    if echo is None:
        pytest.skip("needs PostgreSQL beside SQLite: apt install postgresql, then VSM_TEST_POSTGRES")


def by_julian_day() -> list[Job]:
    """Nobody but SQLite knows the function."""
    return list(Job.objects.annotate(day=Func(F("run_at"), function="julianday", output_field=FloatField())))


def locked() -> list[Job]:
    """SQLite has no locks on rows and leaves the wish out; PostgreSQL knows none on what `DISTINCT` has folded."""
    with transaction.atomic():
        return list(Job.objects.select_for_update().distinct())


@pytest.mark.parametrize(("query", "because"), [(by_julian_day, "julianday"), (locked, "FOR UPDATE is not allowed with DISTINCT")])
def test_what_postgresql_refuses_fails_whoever_sends_it(query: Callable[[], list[Job]], because: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):  # not only whoever is first
        with pytest.raises(Refused, match=because):
            query()
    monkeypatch.setattr(connections["default"], "execute_wrappers", [])
    assert query() == []  # what SQLite says by itself


def test_one_statement_is_asked_once_however_many_values_it_names(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(echo, "ask", lambda _compiler, statement: asked.append(statement))
    for many in (1, 2, 7):
        assert not Job.objects.filter(queue__in=[f"q{n}" for n in range(many)], finished_at=None, error="asked once").exists()
        Job.objects.bulk_create([Job(path="p", token=f"{many} {n}") for n in range(many)])
    assert 1 <= len(asked) <= 2  # the second may have been sent by another test


def test_nothing_stays_there(echo: Echo) -> None:
    Job.objects.create(queue="kept", path="kept")
    with echo.connections["default"].cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM kit_job").fetchone() == (0,)
    echo.connections["default"].rollback()
    assert Job.objects.count() == 1
