"""Taking a file over: every line accounted for, the same file twice changes nothing, a killed import is completed."""

import csv
import io
import random
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError

from tests.beside import SECTIONS, needs
from tests.exchange.catalogue import given
from tests.exchange.catalogue.given import CATALOGUE, NOW, World
from vsm.config import ROOT
from vsm.exchange.catalogue import actions, importing
from vsm.exchange.catalogue.importing import run
from vsm.exchange.catalogue.mapping import Mapping
from vsm.exchange.catalogue.models import CatalogueChange, Import, Offering, Opportunity
from vsm.exchange.catalogue.report import Outcome, Report, csv_lines, entries_in
from vsm.exchange.institutions.models import Term
from vsm.kit import audit, clock, files, jobs
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Conflict, Invalid, NotAllowed
from vsm.kit.models import AuditEvent
from vsm.kit.uploads import Upload

pytestmark = pytest.mark.django_db

OWN = ROOT / "examples/mappings/openvsm.yaml"
UIUC = ROOT / "examples/mappings/uiuc.yaml"
DATA_LINES = 1_724



@pytest.fixture
def world() -> World:
    return given.world()


def take(world: World, text: str, mapping: Any = OWN, **how: Any) -> Report:
    return run(text.encode(), world.host, mapping, **{"dry_run": False, "by": world.actor("carlos"), "now": NOW, **how})


def lines_of(report: Report) -> dict[str, int]:
    return {str(outcome): count for outcome, count in report.lines.items() if count}


def content() -> list[Any]:
    """Everything that an import writes, apart from ids and times."""
    columns = ("code", "title", "credits", "credits_high", "credit_values", "subject", "state", "source_key", "content_hash", "version")
    offerings = ("opportunity__code", "code", "term_code", "starts_on", "seats", "mode", "state", "source_key", "content_hash", "version", "folded")
    return [
        list(Opportunity.objects.order_by("code").values_list(*columns)),
        list(Offering.objects.order_by("opportunity__code", "code").values_list(*offerings)),
        list(Offering.objects.order_by("opportunity__code", "code", "meetings__weekday").values_list("meetings__weekday", "meetings__starts", "meetings__label")),
    ]


def test_a_file_becomes_published_offerings_with_every_fact(world: World) -> None:
    report = take(world, CATALOGUE)
    assert (lines_of(report), report.total) == ({"created": 3}, 3)
    course = Opportunity.objects.get(code="DER-110")
    assert (course.title, course.credits, course.credits_high, course.credit_values) == ({"es": "Derecho del mar"}, 2, 4, ["2", "4"])
    run_ = Offering.objects.get(opportunity__code="EST-210", code="2027-1")
    assert (run_.state, run_.term, run_.zone, run_.ends_on) == ("published", world.term, "America/Santiago", date(2027, 7, 10))
    assert [(m.weekday, str(m.starts), m.label) for m in run_.meetings.all()] == [(0, "09:00:00", "Lecture")]
    assert run_.folded == "2027-1 est-210 estadistica aplicada applied statistics"


def test_the_same_file_again_changes_nothing_and_leaves_one_trace(world: World) -> None:
    take(world, CATALOGUE)
    before, links, changes = content(), AuditEvent.objects.count(), CatalogueChange.objects.count()
    report = take(world, CATALOGUE)
    assert (lines_of(report), report.changes_nothing, content()) == ({"unchanged": 3}, True, before)
    assert (AuditEvent.objects.count() - links, CatalogueChange.objects.count()) == (1, changes)
    told = audit.history([("import", Import.objects.latest("created_at").pk)])[0]
    assert told.changes["file"] == [None, report.digest]
    assert told.changes["counts"] == [None, report.counts]


def test_a_dry_run_tells_the_same_and_writes_nothing(world: World) -> None:
    dry = take(world, CATALOGUE, dry_run=True)
    assert (Opportunity.objects.count(), Offering.objects.count(), Import.objects.count(), AuditEvent.objects.count()) == (0, 0, 0, 0)
    real = take(world, CATALOGUE)
    assert (dry.counts, dry.entries) == (real.counts, real.entries)


def test_only_what_differs_is_written_and_its_history_tells_what(world: World) -> None:
    take(world, CATALOGUE)
    CatalogueChange.objects.all().delete()
    report = take(world, CATALOGUE.replace("2027-07-10,5,Mon 09:00-10:30 Lecture", "2027-07-10,9,Tue 09:00-10:30"))
    assert lines_of(report) == {"updated": 1, "unchanged": 2}
    changed = Offering.objects.get(opportunity__code="EST-210", code="2027-1")
    assert (changed.seats, changed.version, [m.weekday for m in changed.meetings.all()]) == (9, 2, [1])
    assert audit.history([("offering", changed.pk)])[0].changes == {"seats": [5, 9], "meetings": [["0 09:00 10:30 Lecture"], ["1 09:00 10:30"]]}
    assert [change.offering_id for change in CatalogueChange.objects.all()] == [changed.pk]


def test_a_changed_course_reaches_the_search_words_of_all_its_offerings(world: World) -> None:
    take(world, CATALOGUE)
    CatalogueChange.objects.all().delete()
    report = take(world, CATALOGUE.replace("Estadística aplicada", "Bioestadística"))
    assert (lines_of(report), report.opportunities[Outcome.UPDATED]) == ({"updated": 2, "unchanged": 1}, 1)
    assert {o.folded.split()[2] for o in Offering.objects.filter(opportunity__code="EST-210")} == {"bioestadistica"}
    assert CatalogueChange.objects.count() == 2


def test_what_the_office_edited_stays_until_the_file_says_something_new(world: World) -> None:
    take(world, CATALOGUE)
    Offering.objects.filter(code="2027-2").update(seats=40)
    assert (take(world, CATALOGUE).changes_nothing, Offering.objects.get(code="2027-2").seats) == (True, 40)
    take(world, CATALOGUE.replace("2027-12-10,4,", "2027-12-10,6,"))
    assert Offering.objects.get(code="2027-2").seats == 6


def test_a_record_entered_by_hand_is_recognised_by_its_code(world: World) -> None:
    course = given.opportunity(world)
    report = take(world, CATALOGUE)
    assert report.opportunities == Counter({Outcome.UPDATED: 1, Outcome.CREATED: 1})
    assert Opportunity.objects.get(code="EST-210").pk == course.pk


def test_what_is_missing_makes_a_draft_and_the_report_says_what(world: World) -> None:
    report = take(world, CATALOGUE.replace("0421", "").replace("2027-12-10,4,Wed 18:00-19:30", "2027-12-10,0,"))
    remarks = {entry.key: [remark.reason.code for remark in entry.remarks] for entry in report.entries if entry.remarks}
    assert remarks == {"DER-110/2027-1": ["isced-f-missing"], "EST-210/2027-2": ["seats-missing", "meetings-missing"]}
    assert set(Offering.objects.filter(state="draft").values_list("source_key", flat=True)) == set(remarks)


def test_a_mapping_can_ask_for_drafts(world: World) -> None:
    text = OWN.read_text("utf-8").replace("  term: {column: term}", "  term: {column: term}\n  publish: false")
    take(world, CATALOGUE, Mapping.parse(text))
    assert set(Offering.objects.values_list("state", flat=True)) == {"draft"}


def test_gone_offerings_are_reported_and_withdrawn_only_on_demand_and_come_back(world: World) -> None:
    take(world, CATALOGUE)
    shorter = CATALOGUE.rsplit("DER-110", 1)[0]
    report = take(world, shorter)
    assert [(entry.key, entry.reasons[0].code) for entry in report.entries] == [("DER-110/2027-1", "gone")]
    assert Offering.objects.get(source_key="DER-110/2027-1").state == "published"
    take(world, shorter, withdraw_gone=True)
    assert Offering.objects.get(source_key="DER-110/2027-1").state == "withdrawn"
    assert lines_of(take(world, CATALOGUE)) == {"updated": 1, "unchanged": 2}
    assert Offering.objects.get(source_key="DER-110/2027-1").state == "published"
    assert audit.verify() == []


def test_a_file_that_was_cut_withdraws_nothing(world: World) -> None:
    take(world, CATALOGUE)
    report = take(world, CATALOGUE.rsplit("DER-110", 1)[0][:-9], withdraw_gone=True)
    assert [entry.reasons[0].code for entry in report.entries] == ["cut", "gone", "gone"]
    assert set(Offering.objects.values_list("state", flat=True)) == {"published"}


def test_what_the_office_withdrew_stays_withdrawn_and_the_report_says_so(world: World) -> None:
    take(world, CATALOGUE)
    offering = Offering.objects.get(source_key="DER-110/2027-1")
    actions.withdraw_offering(offering, by=world.actor("carlos"), now=NOW, because="The teacher left.")
    report = take(world, CATALOGUE)
    assert (report.changes_nothing, [entry.remarks[0].reason.code for entry in report.entries]) == (True, ["withdrawn-here"])


def test_a_refused_line_leaves_its_offering_as_it_was_and_is_no_gone_one(world: World) -> None:
    take(world, CATALOGUE)
    report = take(world, CATALOGUE.replace("2,4,2 or 4", "about three,,"), withdraw_gone=True)
    (entry,) = report.entries
    assert (entry.outcome, entry.lines, [r.code for r in entry.reasons], [r.reason.code for r in entry.remarks]) == ("refused", (4,), ["credit-unreadable"], ["stays"])
    assert Offering.objects.get(source_key="DER-110/2027-1").state == "published"


def test_a_code_that_another_record_holds_is_refused(world: World) -> None:
    keyed = OWN.read_text("utf-8").replace("key: [code]", "key: [subject]").replace("key: [code, offering]", "key: [subject, offering]").replace("  - subject\n", "")
    mapping, header = Mapping.parse(keyed), "subject," + CATALOGUE.splitlines()[0]
    rows = CATALOGUE.splitlines()[1:]
    take(world, "\n".join([header, f"S1,{rows[0]}", f"S2,{rows[2]}", ""]), mapping)
    report = take(world, "\n".join([header, f"S1,{rows[0]}", f"S2,{rows[2].replace('DER-110', 'EST-210')}", ""]), mapping)
    # The reader refuses what stands twice in one file; alone in the file it meets the record that is here.
    assert [entry.reasons[0].code for entry in report.entries if entry.outcome == "refused"] == ["code-twice"]
    report = take(world, "\n".join([header, f"S2,{rows[2].replace('DER-110', 'EST-210')}", ""]), mapping)
    first = report.entries[0]
    assert (first.outcome, [reason.code for reason in first.reasons]) == ("refused", ["code-taken"])
    assert set(Opportunity.objects.values_list("subject", "code")) == {("S1", "EST-210"), ("S2", "DER-110")}


@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_import_killed_in_the_middle_is_completed_by_the_next(world: World, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    class Killed(BaseException):
        pass

    def die(done: int, total: int) -> None:
        if done >= after:
            raise Killed

    monkeypatch.setattr(importing, "CHUNK", 1)
    with pytest.raises(Killed):
        take(world, CATALOGUE, progress=die)
    assert Offering.objects.count() == after
    report = take(world, CATALOGUE)
    assert lines_of(report) == Counter({"created": 3 - after, "unchanged": after}) - Counter()
    assert take(world, CATALOGUE).changes_nothing
    assert audit.verify() == []


def test_somebody_who_enters_the_same_code_meanwhile_is_met_and_not_doubled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, times = importing.insert, []

    def insert(model: Any, records: Any) -> None:
        if model is Opportunity and not times:
            times.append(1)
            given.opportunity(world, "DER-110")
            raise IntegrityError("one_opportunity_per_code")
        plain(model, records)

    monkeypatch.setattr(importing, "insert", insert)
    report = take(world, CATALOGUE)
    assert (lines_of(report), Opportunity.objects.count(), Offering.objects.count()) == ({"created": 3}, 2, 3)


def test_one_import_at_a_time_runs_for_an_institution(world: World) -> None:
    with importing._alone(world.host):
        with pytest.raises(Conflict) as refusal:
            take(world, CATALOGUE)
        assert take_elsewhere(world).total == 3
    assert [reason.code for reason in refusal.value.reasons] == ["import-running"]


def take_elsewhere(world: World) -> Report:
    return run(CATALOGUE.encode(), world.other, OWN, dry_run=True, by=world.actor("dora"), now=NOW)


def test_a_stranger_imports_nothing(world: World) -> None:
    for name in ("dora", "ines", "ana"):
        with pytest.raises(NotAllowed):
            take(world, CATALOGUE, by=world.actor(name))


def test_a_term_entered_later_is_linked_by_the_next_import(world: World) -> None:
    take(world, CATALOGUE)
    assert Offering.objects.get(code="2027-2").term is None
    term = Term(organisation=world.host, code="2027-2", name={"es": "Primavera"}, starts_on=date(2027, 8, 1), ends_on=date(2027, 12, 20))
    term.save()
    take(world, CATALOGUE)
    assert Offering.objects.get(code="2027-2").term == term


def test_progress_ends_at_the_number_of_lines(world: World) -> None:
    heard: list[tuple[int, int]] = []
    take(world, CATALOGUE, progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (3, 3)


def test_the_kept_report_reads_back_and_its_csv_is_harmless(world: World) -> None:
    report = take(world, CATALOGUE.replace("DER-110,2027-1", "=cmd(),2027-1").replace("2,4,2 or 4", "x,,"))
    kept = files.get(Import.objects.get().report_digest)
    assert [(e.outcome, e.key, e.lines) for e in entries_in(kept)] == [(e.outcome, e.key, e.lines) for e in report.entries]
    rows = list(csv.reader(io.StringIO("".join(csv_lines(report.entries)))))
    assert rows[0] == ["line", "outcome", "key", "codes", "reasons"]
    assert ["4", "refused", "'=cmd()/2027-1", "credit-unreadable"] in [row[:4] for row in rows]


def test_a_file_that_is_no_csv_fails_the_import_with_its_reason(world: World) -> None:
    with pytest.raises(Invalid) as refusal:
        run(b"PK\x03\x04zip", world.host, OWN, dry_run=False, by=SYSTEM, now=NOW)
    assert [reason.code for reason in refusal.value.reasons] == ["not-csv"]
    record = Import.objects.get()
    assert (record.state, [reason["code"] for reason in record.error]) == ("failed", ["not-csv"])


def asked(world: World, text: str = CATALOGUE, **inputs: Any) -> Import:
    upload = Upload.of("catalogue.csv", "text/csv", text.encode())
    return actions.import_catalogue(world.host, by=world.actor("carlos"), now=NOW, file=upload, **inputs)


def test_the_worker_does_what_a_page_asked_for_as_the_person_who_asked(world: World) -> None:
    record = asked(world)
    assert (record.state, Offering.objects.count()) == ("waiting", 0)
    worked()
    record.refresh_from_db()
    assert (record.state, record.progress, record.total, record.counts["lines"]["created"]) == ("done", 3, 3, 3)
    assert {told.who for told in audit.history([("offering", Offering.objects.all()[0].pk)])} == {"Carlos"}


def test_after_a_trial_the_same_file_is_imported_by_one_more_step(world: World) -> None:
    trial = asked(world, dry_run=True)
    worked()
    trial.refresh_from_db()
    assert (trial.state, trial.counts["offerings"]["created"], Offering.objects.count()) == ("done", 3, 0)
    made = actions.apply_import(trial, by=world.actor("carlos"), now=NOW)
    worked()
    made.refresh_from_db()
    assert (made.pk != trial.pk, made.state, Offering.objects.count()) == (True, "done", 3)


def test_a_file_that_lacks_a_column_ends_as_failed_and_says_which(world: World) -> None:
    record = asked(world, CATALOGUE.replace("starts_on", "start"))
    worked()
    record.refresh_from_db()
    assert (record.state, [(reason["code"], reason["field"]) for reason in record.error]) == ("failed", [("column-missing", "starts_on")])


def test_a_mapping_is_read_before_anything_is_kept(world: World) -> None:
    with pytest.raises(Invalid) as refusal:
        asked(world, own_mapping="name: half")
    assert Import.objects.count() == 0
    assert len(refusal.value.reasons) > 3
    with pytest.raises(Invalid) as unknown:
        asked(world, mapping="nonsense")
    assert [reason.code for reason in unknown.value.reasons] == ["mapping-unknown"]


def worked() -> None:
    with clock.stopped_at(NOW):
        jobs.drain()


@needs(SECTIONS)
def test_every_section_of_the_real_catalogue_is_accounted_for(world: World) -> None:
    report = run(SECTIONS, world.host, UIUC, dry_run=False, by=SYSTEM, now=NOW)
    assert report.counts["lines"] == {"total": DATA_LINES, "created": 608, "updated": 0, "unchanged": 0, "refused": 1116}
    assert sorted(line for entry in report.entries for line in entry.lines) == list(range(2, DATA_LINES + 2))
    assert (Opportunity.objects.count(), Offering.objects.filter(state="published").count()) == (436, 455)
    assert not any("&amp;" in title for o in Opportunity.objects.all() for title in o.title.values())


@needs(SECTIONS)
def test_a_second_import_of_the_real_catalogue_changes_nothing(world: World) -> None:
    run(SECTIONS, world.host, UIUC, dry_run=False, by=SYSTEM, now=NOW)
    before = content()
    report = run(SECTIONS, world.host, UIUC, dry_run=False, by=SYSTEM, now=NOW)
    assert report.counts["lines"] == {"total": DATA_LINES, "created": 0, "updated": 0, "unchanged": 608, "refused": 1116}
    assert content() == before


def _cut(raw: bytes) -> bytes:
    return raw[: len(raw) * 2 // 3]


def _bytes_turned(raw: bytes) -> bytes:
    draw = random.Random(7)
    spoiled = bytearray(raw)
    for _turn in range(400):
        spoiled[draw.randrange(600, len(spoiled))] = draw.choice([0x00, 0x22, 0x2C, 0xFF, 0x0A, 0x41])
    return bytes(spoiled)


def _lines_shuffled_and_doubled(raw: bytes) -> bytes:
    header, *lines = raw.splitlines(keepends=True)
    lines += random.Random(3).choices(lines, k=200)
    random.Random(5).shuffle(lines)
    return header + b"".join(lines)


def _credits_garbled(raw: bytes) -> bytes:
    return raw.replace(b",3 hours.,", b",three-ish,")


@needs(SECTIONS)
@pytest.mark.parametrize("spoil", [_cut, _bytes_turned, _lines_shuffled_and_doubled, _credits_garbled])
def test_a_spoiled_copy_of_the_real_catalogue_loses_nothing_silently(world: World, spoil: Any, tmp_path: Path) -> None:
    run(SECTIONS, world.host, UIUC, dry_run=False, by=SYSTEM, now=NOW)
    offered = set(Offering.objects.values_list("source_key", flat=True))
    file = tmp_path / "spoiled.csv"
    file.write_bytes(spoil(SECTIONS.read_bytes()))
    report = run(file, world.host, UIUC, dry_run=False, by=SYSTEM, now=NOW)
    physical = [number for number, line in enumerate(file.read_bytes().split(b"\n"), start=1) if number > 1 and line.strip()]
    assert report.total == len(physical)
    assert all(entry.reasons for entry in report.entries if entry.outcome == "refused")
    # Each offering that was here is still here, and where the file no longer says the same of it, the report names it.
    assert offered <= set(Offering.objects.filter(state="published").values_list("source_key", flat=True))
    unchanged = report.offerings[Outcome.UNCHANGED]
    named = {entry.key for entry in report.entries if entry.key in offered}
    gone = report.offerings[Outcome.GONE]
    assert unchanged + len(named) >= len(offered) >= unchanged + gone
