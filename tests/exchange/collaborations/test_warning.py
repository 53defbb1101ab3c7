"""When somebody is likely to drop out: the rule in cases."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vsm.exchange.collaborations.exchange_queries import limits_on
from vsm.exchange.collaborations.warning import Level, Limits, Signs, early_warning, missed_in_a_row

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
LIMITS = Limits(check_ins_watch=1, check_ins_act=2, tasks_watch=1, tasks_act=2, low=2, quiet_days=5)
GOOD = (4, 4)


def judged(**signs: Any) -> tuple[str, list[str], str]:
    found = early_warning(Signs(**{"check_ins": [GOOD], "missed_tasks": [], **signs}), LIMITS, NOW)
    return found.level.value, [reason.code for reason in found.reasons], found.next.code if found.next else ""


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ({}, ("fine", [], "")),
        ({"check_ins": []}, ("fine", [], "")),
        ({"check_ins": [GOOD, None]}, ("watch", ["check-ins-missed"], "write")),
        ({"check_ins": [GOOD, None, None]}, ("act", ["check-ins-missed"], "call")),
        ({"check_ins": [None, None, GOOD]}, ("fine", [], "")),
        ({"missed_tasks": ["Rivers"]}, ("watch", ["tasks-missed"], "write")),
        ({"missed_tasks": ["Rivers", "Streets"]}, ("act", ["tasks-missed"], "call")),
        ({"check_ins": [(2, 4)]}, ("watch", ["team-low"], "write")),
        ({"check_ins": [(4, 1)]}, ("watch", ["load-low"], "write")),
        ({"check_ins": [(1, 1), GOOD]}, ("fine", [], "")),
        ({"wants_help": True}, ("act", ["wants-help"], "call")),
        ({"check_ins": [None, None], "contacted_at": NOW - timedelta(days=4), "contacts": 1}, ("act", ["check-ins-missed"], "wait")),
        ({"check_ins": [None, None], "contacted_at": NOW - timedelta(days=5), "contacts": 1}, ("act", ["check-ins-missed"], "call")),
        ({"check_ins": [None, None], "contacted_at": NOW - timedelta(days=6), "contacts": 2}, ("act", ["check-ins-missed"], "rebalance")),
        ({"check_ins": [None, None], "missed_tasks": ["Rivers", "Streets"], "wants_help": True}, ("act", ["check-ins-missed", "tasks-missed", "wants-help"], "call")),
    ],
)
def test_a_level_rests_on_reasons_and_leads_to_one_next_action(signs: dict[str, Any], expected: tuple[str, list[str], str]) -> None:
    assert judged(**signs) == expected


def test_only_the_latest_weeks_count_as_missed_in_a_row() -> None:
    assert [missed_in_a_row(weeks) for weeks in ([], [None], [1, None, None], [None, None, 1])] == [0, 1, 2, 0]


def test_the_limits_come_from_the_rulebook() -> None:
    limits = limits_on(NOW.date())
    assert (limits.check_ins_watch, limits.check_ins_act, limits.tasks_watch, limits.tasks_act, limits.low, limits.quiet_days) == (1, 2, 1, 2, 2, 5)
    assert Level("act") is Level.ACT
