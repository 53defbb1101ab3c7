"""The audit chain: what it tells, and that it shows where somebody changed it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from vsm.kit import audit
from vsm.kit.models import AuditDetail, AuditEvent, AuditHead

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
PLACE = UUID("01890000-0000-7000-8000-000000000001")


@pytest.fixture
def chain(db: None) -> None:
    """Ten links, about two objects in turn."""
    with transaction.atomic():
        audit.append(
            [
                audit.Entry(NOW + timedelta(minutes=n), None, f"Ana {n}", "web", "edit", "organisation", PLACE if n % 2 else uuid4(), f"because {n}", {"city": ["Lima", n]})
                for n in range(1, 11)
            ]
        )


pytestmark = pytest.mark.usefixtures("chain")


def test_an_untouched_chain_is_whole() -> None:
    assert audit.verify() == []


def test_history_tells_of_one_object_newest_first() -> None:
    told = audit.history([("organisation", PLACE)])
    assert [link.who for link in told] == ["Ana 9", "Ana 7", "Ana 5", "Ana 3", "Ana 1"]
    assert (told[0].because, told[0].changes, told[0].erased) == ("because 9", {"city": ["Lima", 9]}, False)


def test_history_does_not_mix_nouns_that_share_an_id() -> None:
    assert audit.history([("unit", PLACE)]) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("verb", "delete"), ("at", NOW), ("object_id", PLACE), ("via", "api"), ("noun", "unit"), ("actor_id", PLACE), ("commitment", "0" * 64)],
)
def test_a_changed_link_is_located(column: str, value: object) -> None:
    AuditEvent.objects.filter(seq=4).update(**{column: value})
    assert "4: altered" in audit.verify()


def test_a_changed_detail_is_located() -> None:
    detail = AuditDetail.objects.get(event_id=6)
    AuditDetail.objects.filter(event_id=6).update(body=detail.body.replace("Ana 6", "Bia 6"))
    assert audit.verify() == ["6: detail altered"]


def test_a_link_forged_with_a_fitting_digest_breaks_the_next() -> None:
    forged = AuditEvent.objects.get(seq=4)
    forged.verb = "delete"
    AuditEvent.objects.filter(seq=4).update(verb="delete", digest=audit._digest(forged))
    assert audit.verify() == ["5: does not follow the link before it"]


def test_a_removed_link_is_located() -> None:
    AuditEvent.objects.filter(seq=7).delete()
    assert audit.verify() == ["8: gap: expected link 7", "8: does not follow the link before it"]


def test_a_cut_tail_is_noticed() -> None:
    AuditEvent.objects.filter(seq__gt=8).delete()
    assert audit.verify() == ["8: the chain ends before its recorded head 10"]


def test_without_the_recorded_head_a_cut_tail_passes() -> None:
    """The control: it is the head that shows the cut."""
    AuditEvent.objects.filter(seq__gt=8).delete()
    AuditHead.objects.all().delete()
    assert audit.verify() == []


def test_erasing_the_personal_part_keeps_the_chain_whole() -> None:
    assert audit.erase([3, 5]) == 2
    assert audit.verify() == []
    erased = next(link for link in audit.history([("organisation", PLACE)]) if link.seq == 3)
    assert (erased.who, erased.because, erased.changes, erased.erased) == ("", "", {}, True)
    assert erased.verb == "edit"


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="belongs into the transaction"):
        audit.append([audit.Entry(NOW, None, "Ana", "web", "edit", "organisation", PLACE)])


def test_the_chain_goes_on_after_its_end() -> None:
    with transaction.atomic():
        audit.append([audit.Entry(NOW, None, "Ana", "web", "edit", "organisation", PLACE)])
    assert AuditHead.objects.get().seq == 11
    assert audit.verify() == []
