"""Taking a host's catalogue file over into the records: idempotent, in short transactions, with an account of every line.

A course is recognised by the key of its source, else by its code at the institution; an offering by its key, else by its
code within the course. If the hash of what the file says is the one kept from the last time, nothing is even loaded, so
what the office edited since stays. Otherwise the facts are compared, and only what differs is written.

Killed in the middle, the import is simply run again: what was taken over is unchanged then, the rest follows.
"""

import fcntl
import hashlib
import io
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as Table
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from vsm.config import settings
from vsm.exchange.catalogue import indexing
from vsm.exchange.catalogue.candidates import Candidate, OfferingFacts, OpportunityFacts, RefusedRow, Remark
from vsm.exchange.catalogue.mapping import Mapping
from vsm.exchange.catalogue.models import Import, Meeting, Offering, Opportunity
from vsm.exchange.catalogue.reading import read
from vsm.exchange.catalogue.report import Entry, Outcome, Report, reason_plain
from vsm.exchange.catalogue.rules import offering_gaps, opportunity_gaps
from vsm.exchange.catalogue.states import ImportState, State
from vsm.exchange.catalogue.weekly import Meeting as Weekly
from vsm.exchange.institutions.models import Organisation
from vsm.kit import audit, files
from vsm.kit.actors import Actor
from vsm.kit.bulk import insert, insert_rows
from vsm.kit.errors import Conflict, Invalid, NotAllowed, VsmError
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.ids import new_id
from vsm.kit.jobs import enqueue_unless_waiting
from vsm.kit.verdict import Reason

CHUNK = 500
"""Offerings taken over in one transaction: some 100 ms, so that nobody else waits long for the write lock."""

VERB = "import_catalogue"
_NOBODY = UUID(int=0)

Progress = Callable[[int, int], None]


def run(
    source: Path | str | bytes,
    organisation: Organisation,
    mapping: Mapping | Path | str,
    *,
    dry_run: bool,
    by: Actor,
    now: datetime,
    progress: Progress | None = None,
    withdraw_gone: bool = False,
    record: Import | None = None,
) -> Report:
    """Import a catalogue file (a path, or its bytes) by a mapping (read, or the path of its file).

    A dry run gives the same report and writes nothing. `progress` hears (lines done, lines in all). With `withdraw_gone`
    offerings of the same source that the file no longer has are withdrawn; without, they are only reported. `record` is
    the Import to write to; without one a real run makes its own. Raises Invalid when the file as a whole or the mapping
    cannot be read, NotAllowed without the right to import for this institution, Conflict while another import runs there.
    """
    if not _may_import(by, organisation):
        raise NotAllowed(Reason("role", N_("Only a coordinator or registrar of the institution imports its catalogue."), {}))
    if not isinstance(mapping, Mapping):
        mapping = Mapping.read(mapping)
    began = time.perf_counter()
    with _alone(organisation), _opened(source) as stream:
        digest, total = _measured(stream)
        job = _Run(organisation, mapping, by, now, dry_run, total, progress, record)
        job.report.digest = digest
        if not dry_run and record is None:
            job.record = _record(organisation, mapping, source, digest, total, by)
        try:
            job.work(read(stream, mapping), withdraw_gone=withdraw_gone)
        except VsmError as refusal:
            fail(job.record, refusal.reasons, now)
            raise
        job.report.seconds = time.perf_counter() - began
        job.close()
    return job.report


def fail(record: Import | None, reasons: Sequence[Reason], now: datetime) -> None:
    """Write into the Import why it could not be done."""
    if record is not None:
        Import.objects.filter(pk=record.pk).update(
            state=ImportState.FAILED, error=[reason_plain(reason) for reason in reasons], finished_at=now, updated_at=now
        )


def _may_import(by: Actor, organisation: Organisation) -> bool:
    held = any(by.holds(role, organisation.pk) for role in ("coordinator", "registrar"))
    return by.is_system or by.is_operator or held


@dataclass(slots=True)
class _Known:
    """What is here already, as far as it is needed to recognise it: no texts are loaded for what has not changed."""

    pk: UUID
    parent: UUID
    source: str
    key: str
    code: str
    content_hash: str
    state: str


@dataclass
class _Shelf:
    """What is here of one kind, by the key of this source and by code within its parent (an institution, a course)."""

    source: str
    by_pk: dict[UUID, _Known] = field(default_factory=dict)
    by_key: dict[str, _Known] = field(default_factory=dict)
    by_code: dict[tuple[UUID, str], _Known] = field(default_factory=dict)
    claimed: dict[UUID, str] = field(default_factory=dict)

    def put(self, known: _Known) -> None:
        before = self.by_pk.get(known.pk)
        if before is not None and self.by_code.get((before.parent, before.code)) is before:
            del self.by_code[before.parent, before.code]
        self.by_pk[known.pk] = known
        self.by_code[known.parent, known.code] = known
        if known.source == self.source and known.key:
            self.by_key[known.key] = known

    def find(self, key: str, parent: UUID, code: str) -> _Known | None:
        """The record that this key means, else the one that holds the code. Conflict when another key has claimed it."""
        known = self.by_key.get(key)
        holder = self.by_code.get((parent, code))
        if known is None:
            known = holder
        if known is None:
            return None
        if (holder is not None and holder is not known) or self.claimed.get(known.pk, key) != key:
            text = N_("The code “%(code)s” belongs to another record of the institution (“%(key)s”).")
            other = holder or known
            raise Conflict(Reason("code-taken", text, {"code": code, "key": other.key or other.code}, "code"))
        self.claimed[known.pk] = key
        return known


@dataclass(slots=True)
class _Settled:
    """What became of a course in this run: its record (none if it was refused), whether it is published, or why not."""

    pk: UUID
    outcome: Outcome
    is_published: bool = False
    reasons: tuple[Reason, ...] = ()
    gaps: tuple[Reason, ...] = ()


@dataclass
class _Batch:
    """What one transaction writes."""

    opportunities: list[Opportunity] = field(default_factory=list)
    changed_opportunities: list[Opportunity] = field(default_factory=list)
    offerings: list[Offering] = field(default_factory=list)
    changed_offerings: list[Offering] = field(default_factory=list)
    meetings: list[tuple[UUID, int, str, str, str]] = field(default_factory=list)
    without_meetings: list[UUID] = field(default_factory=list)
    rehashed: list[tuple[type[Opportunity] | type[Offering], UUID, str]] = field(default_factory=list)
    audited: list[audit.Entry] = field(default_factory=list)


class _Run:
    """One import on its way through the file."""

    def __init__(
        self, organisation: Organisation, mapping: Mapping, by: Actor, now: datetime, dry_run: bool, total: int,
        progress: Progress | None, record: Import | None,
    ) -> None:  # fmt: skip
        self.organisation, self.mapping, self.by, self.now, self.dry_run = organisation, mapping, by, now, dry_run
        self.source = mapping.name[:200]
        self.report = Report(self.source, dry_run)
        self.record, self.total, self.progress = record, total, progress
        self.terms = dict(organisation.terms.values_list("code", "pk"))
        self.settled: dict[str, _Settled] = {}
        self.refused_keys: set[str] = set()
        self.opportunities, self.offerings = _Shelf(self.source), _Shelf(self.source)
        self._load()

    # the whole

    def work(self, found: Iterable[Candidate | RefusedRow], *, withdraw_gone: bool) -> None:
        items = iter(found)
        while chunk := list(islice(items, CHUNK)):
            self._take(chunk)
            done = self.report.total
            if self.progress:
                self.progress(done, self.total)
        self._settle_refused()
        self._settle_gone(withdraw=withdraw_gone)
        if not self.dry_run:
            self._link_terms()

    def close(self) -> None:
        """Write the account: the report as a kept file, the counts into the Import and one entry into the audit."""
        if self.record is None:
            return
        report_digest = files.put(self.report.kept())
        with transaction.atomic():
            Import.objects.filter(pk=self.record.pk).update(
                state=ImportState.DONE, progress=self.total, total=self.total, counts=self.report.counts,
                report_digest=report_digest, finished_at=self.now, updated_at=self.now, error=[],
            )  # fmt: skip
            changes = {"file": [None, self.report.digest], "counts": [None, self.report.counts], "report": [None, report_digest]}
            audit.append([self._told(self.record, VERB, changes)])
            if not self.dry_run and not self.report.changes_nothing:
                enqueue_unless_waiting(indexing.index_changes)

    def _load(self) -> None:
        """What is here already, in two queries. What this run has claimed so far stays claimed."""
        claimed = (self.opportunities.claimed, self.offerings.claimed)
        self.opportunities, self.offerings = _Shelf(self.source), _Shelf(self.source)
        columns = ("source", "source_key", "code", "content_hash", "state")
        for row in Opportunity.objects.filter(organisation=self.organisation).values_list("pk", "organisation_id", *columns):
            self.opportunities.put(_Known(*row))
        offerings = Offering.objects.filter(opportunity__organisation=self.organisation).order_by()
        for row in offerings.values_list("pk", "opportunity_id", *columns):
            self.offerings.put(_Known(*row))
        for shelf, before in zip((self.opportunities, self.offerings), claimed, strict=True):
            shelf.claimed = {pk: key for pk, key in before.items() if pk in shelf.by_pk}

    def _take(self, chunk: Sequence[Candidate | RefusedRow]) -> None:
        """One chunk in one transaction. If somebody else entered the same code meanwhile, look afresh and try again."""
        new = {item.opportunity_key for item in chunk if isinstance(item, Candidate)} - self.settled.keys()
        try:
            entries, counted = self._taken(chunk)
        except IntegrityError:
            self.settled = {key: course for key, course in self.settled.items() if key not in new}
            self._load()
            entries, counted = self._taken(chunk)
        for entry in entries:
            self.report.enter(entry)
        self.report.offerings.update(offering for offering, _opportunity in counted if offering)
        self.report.opportunities.update(opportunity for _offering, opportunity in counted if opportunity)

    def _taken(self, chunk: Sequence[Candidate | RefusedRow]) -> tuple[list[Entry], list[tuple[Outcome | None, Outcome | None]]]:
        batch = _Batch()
        counted: list[tuple[Outcome | None, Outcome | None]] = []
        with transaction.atomic():
            held = self._held(chunk)
            entries = [self._entered(item, held, batch, counted) for item in chunk]
            if not self.dry_run:
                self._write(batch)
            self._tell(self.report.total + sum(len(entry.lines) for entry in entries))
        return entries, counted

    # deciding

    def _held(self, chunk: Sequence[Candidate | RefusedRow]) -> "_Held":
        """The whole records whose hash differs from what the file says, locked: the others need not be read."""
        opportunities, offerings = set(), set()
        for item in chunk:
            if isinstance(item, RefusedRow):
                continue
            code, parent = item.opportunity.code, self.organisation.pk
            known = self.opportunities.by_key.get(item.opportunity_key)
            course = known or self.opportunities.by_code.get((parent, code))
            if course is not None and (known is None or course.content_hash != item.opportunity_hash):
                opportunities.add(course.pk)
            known = self.offerings.by_key.get(item.offering_key)
            offering = known or (self.offerings.by_code.get((course.pk, item.offering.code)) if course else None)
            if offering is not None and (known is None or offering.content_hash != item.offering_hash or offering.parent != getattr(course, "pk", None)):
                offerings.add(offering.pk)
        return _Held(
            {o.pk: o for o in Opportunity.objects.select_for_update(of=("self",)).filter(pk__in=opportunities)} if opportunities else {},
            {o.pk: o for o in Offering.objects.select_for_update(of=("self",)).filter(pk__in=offerings)} if offerings else {},
            _meetings_of(offerings),
        )

    def _entered(self, item: Candidate | RefusedRow, held: "_Held", batch: _Batch, counted: list[tuple[Outcome | None, Outcome | None]]) -> Entry:
        if isinstance(item, RefusedRow):
            return self._refused(item.key, item.lines, item.reasons)
        first_time = item.opportunity_key not in self.settled
        course = self.settled.get(item.opportunity_key) or self._opportunity(item, held, batch)
        self.settled[item.opportunity_key] = course
        if first_time:
            counted.append((None, course.outcome))
        if course.outcome is Outcome.REFUSED:
            return self._refused(item.offering_key, item.lines, course.reasons, item.remarks)
        try:
            outcome, remarks = self._offering(item, course, held, batch)
        except (Invalid, Conflict) as refusal:
            return self._refused(item.offering_key, item.lines, refusal.reasons, item.remarks)
        counted.append((outcome, None))
        of_lines = Outcome.UPDATED if outcome is Outcome.UNCHANGED and course.outcome is Outcome.UPDATED else outcome
        return Entry(of_lines, item.offering_key, item.lines, (), (*item.remarks, *remarks))

    def _refused(self, key: str, lines: tuple[int, ...], reasons: tuple[Reason, ...], remarks: tuple[Remark, ...] = ()) -> Entry:
        self.refused_keys.add(key)
        return Entry(Outcome.REFUSED, key, lines, reasons, remarks)

    def _opportunity(self, item: Candidate, held: "_Held", batch: _Batch) -> _Settled:
        facts, key = item.opportunity, item.opportunity_key
        try:
            known = self.opportunities.find(key, self.organisation.pk, facts.code)
            if known is None:
                return self._new_opportunity(item, batch)
            record = held.opportunities.get(known.pk)
            if record is None:
                return _Settled(known.pk, Outcome.UNCHANGED, known.state == State.PUBLISHED)
            return self._same_or_changed_opportunity(item, known, record, batch)
        except (Invalid, Conflict) as refusal:
            return _Settled(_NOBODY, Outcome.REFUSED, reasons=refusal.reasons)

    def _new_opportunity(self, item: Candidate, batch: _Batch) -> _Settled:
        record = Opportunity(
            id=new_id(), organisation=self.organisation, source=self.source, source_key=item.opportunity_key,
            content_hash=item.opportunity_hash, created_at=self.now, updated_at=self.now, **_opportunity_values(item.opportunity),
        )  # fmt: skip
        gaps = tuple(opportunity_gaps(record))
        record.state = (State.PUBLISHED if self.mapping.publishes and not gaps else State.DRAFT).value
        record.prepare()
        batch.opportunities.append(record)
        batch.audited.append(self._told(record, VERB, {"state": [None, record.state], "code": [None, record.code], "source": [None, self.source]}))
        self._remember(self.opportunities, record, self.organisation.pk)
        return _Settled(record.pk, Outcome.CREATED, record.state == State.PUBLISHED, gaps=gaps if self.mapping.publishes else ())

    def _same_or_changed_opportunity(self, item: Candidate, known: _Known, record: Opportunity, batch: _Batch) -> _Settled:
        changes = _apply(record, _opportunity_values(item.opportunity))
        if not changes:
            self._rehash(Opportunity, known, item.opportunity_hash, item.opportunity_key, batch)
            return _Settled(record.pk, Outcome.UNCHANGED, record.state == State.PUBLISHED)
        self._stamp(record, item.opportunity_key, item.opportunity_hash)
        record.prepare()
        batch.changed_opportunities.append(record)
        batch.audited.append(self._told(record, VERB, changes))
        self._remember(self.opportunities, record, self.organisation.pk)
        return _Settled(record.pk, Outcome.UPDATED, record.state == State.PUBLISHED)

    def _offering(self, item: Candidate, course: _Settled, held: "_Held", batch: _Batch) -> tuple[Outcome, list[Remark]]:
        known = self.offerings.find(item.offering_key, course.pk, item.offering.code)
        if known is None:
            return Outcome.CREATED, self._new_offering(item, course, batch)
        record = held.offerings.get(known.pk)
        if record is None:
            return Outcome.UNCHANGED, self._remarked(item, known.state)
        values = {**self._offering_values(item.offering), "opportunity_id": course.pk}
        meetings = _plain_meetings(item.offering.meetings)
        changes = _apply(record, values)
        before = held.meetings.get(record.pk, [])
        if before != meetings:
            changes["meetings"] = [[_told_meeting(m) for m in before], [_told_meeting(m) for m in meetings]]
        returns = record.state == State.WITHDRAWN and not record.content_hash and bool(record.source_key)
        if not changes and not returns:
            self._rehash(Offering, known, item.offering_hash, item.offering_key, batch)
            return Outcome.UNCHANGED, self._remarked(item, known.state)
        if returns and course.is_published:
            changes["state"] = [record.state, State.PUBLISHED.value]
            record.state = State.PUBLISHED
        self._stamp(record, item.offering_key, item.offering_hash)
        self._prepare_offering(record, item, batch)
        batch.changed_offerings.append(record)
        if "meetings" in changes:
            batch.without_meetings.append(record.pk)
            batch.meetings += [(record.pk, *meeting) for meeting in meetings]
        batch.audited.append(self._told(record, VERB, changes))
        self._remember(self.offerings, record, course.pk)
        return Outcome.UPDATED, self._remarked(item, record.state)

    def _new_offering(self, item: Candidate, course: _Settled, batch: _Batch) -> list[Remark]:
        record = Offering(
            id=new_id(), opportunity_id=course.pk, source=self.source, source_key=item.offering_key,
            content_hash=item.offering_hash, created_at=self.now, updated_at=self.now, **self._offering_values(item.offering),
        )  # fmt: skip
        meetings = _plain_meetings(item.offering.meetings)
        gaps = offering_gaps(
            seats=record.seats, mode=record.mode, meetings=len(meetings), opportunity_published=course.is_published or bool(course.gaps)
        )
        publishes = self.mapping.publishes and not gaps and not course.gaps
        record.state = (State.PUBLISHED if publishes else State.DRAFT).value
        self._prepare_offering(record, item, batch)
        batch.offerings.append(record)
        batch.meetings += [(record.pk, *meeting) for meeting in meetings]
        batch.audited.append(self._told(record, VERB, {"state": [None, record.state], "code": [None, record.code], "source": [None, self.source]}))
        self._remember(self.offerings, record, course.pk)
        return [Remark(item.lines[0], gap) for gap in (*course.gaps, *gaps)] if self.mapping.publishes else []

    def _offering_values(self, facts: OfferingFacts) -> dict[str, Any]:
        return {
            "code": facts.code,
            "term_code": facts.term,
            "term_id": self.terms.get(facts.term),
            "starts_on": facts.starts_on,
            "ends_on": facts.ends_on,
            "zone": facts.zone or self.organisation.zone,
            "mode": facts.mode,
            "bandwidth": facts.bandwidth,
            "seats": facts.seats,
        }

    def _remarked(self, item: Candidate, state: str) -> list[Remark]:
        if state != State.WITHDRAWN:
            return []
        text = N_("The offering was withdrawn here and stays withdrawn, although the file lists it.")
        return [Remark(item.lines[0], Reason("withdrawn-here", text))]

    def _stamp(self, record: Opportunity | Offering, key: str, content_hash: str) -> None:
        """Where the record came from the last time, and the version for whoever is editing it now."""
        record.source, record.source_key, record.content_hash = self.source, key, content_hash
        record.version, record.updated_at = record.version + 1, self.now

    def _prepare_offering(self, record: Offering, item: Candidate, batch: _Batch) -> None:
        """The checks of the record. Its search words are those of its course: a new one, or as the candidate tells it."""
        new = batch.opportunities[-1] if batch.opportunities else None
        if new is None or new.pk != record.opportunity_id:
            new = Opportunity(id=record.opportunity_id, code=item.opportunity.code, title=dict(item.opportunity.title))
        record.opportunity = new
        record.prepare()

    def _rehash(self, model: Any, known: _Known, content_hash: str, key: str, batch: _Batch) -> None:
        """The file says in other words what is here already: remember its hash, so that the next look is quick."""
        if known.source == self.source and known.key == key:
            batch.rehashed.append((model, known.pk, content_hash))
            known.content_hash = content_hash

    def _remember(self, shelf: _Shelf, record: Any, parent: UUID) -> None:
        known = _Known(record.pk, parent, record.source, record.source_key, record.code, record.content_hash, record.state)
        shelf.put(known)
        shelf.claimed[record.pk] = record.source_key

    def _told(self, record: Any, verb: str, changes: Table[str, object]) -> audit.Entry:
        return audit.Entry(self.now, self.by.person_id, self.by.label, self.by.via, verb, record.noun, record.pk, "", changes)

    # writing

    def _tell(self, done: int) -> None:
        """The progress that a page shows; not a change of the record, so its version stays."""
        if self.record is not None:
            Import.objects.filter(pk=self.record.pk).update(state=ImportState.RUNNING, progress=done, total=self.total, updated_at=self.now)

    def _write(self, batch: _Batch) -> None:
        """Everything of a chunk, in the transaction that holds its locks."""
        insert(Opportunity, batch.opportunities)
        _overwrite(Opportunity, batch.changed_opportunities)
        insert(Offering, batch.offerings)
        _overwrite(Offering, batch.changed_offerings)
        if batch.without_meetings:
            Meeting.objects.filter(offering_id__in=batch.without_meetings).delete()
        insert_rows(Meeting, ("offering_id", "weekday", "starts", "ends", "label"), batch.meetings)
        for model, pk, content_hash in batch.rehashed:
            model.objects.filter(pk=pk).update(content_hash=content_hash)
        touched = self._touched(batch)
        indexing.announce([*(offering.pk for offering in batch.offerings), *touched], self.now)
        for pk in touched:
            emit("offering.changed", offering_id=str(pk))
        audit.append(batch.audited)

    def _touched(self, batch: _Batch) -> list[UUID]:
        """Offerings that were here and look different now, also through their course."""
        changed = {offering.pk for offering in batch.changed_offerings}
        for opportunity in batch.changed_opportunities:
            changed |= set(opportunity.refold_offerings())
        return sorted(changed - {offering.pk for offering in batch.offerings})

    def _link_terms(self) -> None:
        """Offerings whose term the institution has entered into its calendar since they came in."""
        unlinked = Offering.objects.filter(opportunity__organisation=self.organisation, term=None, term_code__in=self.terms)
        for code in set(unlinked.values_list("term_code", flat=True)):
            unlinked.filter(term_code=code).update(term_id=self.terms[code])

    # what the file does not give any more

    def _settle_refused(self) -> None:
        """Offerings of which every line was refused; those that are here already stay, and the report says so."""
        taken = set(self.offerings.claimed.values())
        refused = self.refused_keys - taken
        self.report.offerings[Outcome.REFUSED] = len(refused)
        here = {key for key in refused if key in self.offerings.by_key and self.offerings.by_key[key].state == State.PUBLISHED}
        stays = Reason("stays", N_("The offering that is here already stays as it was."))
        self.report.entries = [
            replace(entry, remarks=(*entry.remarks, Remark(entry.lines[0], stays)))
            if entry.outcome is Outcome.REFUSED and entry.key in here
            else entry
            for entry in self.report.entries
        ]

    def _settle_gone(self, *, withdraw: bool) -> None:
        """Offerings of this source that no line of the file speaks of. A refused line still speaks of its offering; one that
        cannot be read, as where the file was cut, may speak of any: then none is withdrawn."""
        is_spoiled = "" in self.refused_keys
        withdraw = withdraw and not is_spoiled
        gone = [
            known for key, known in self.offerings.by_key.items()
            if known.pk not in self.offerings.claimed and key not in self.refused_keys and known.state != State.WITHDRAWN
        ]  # fmt: skip
        if withdraw:
            text = N_("Withdrawn: the file no longer has it.")
        elif is_spoiled:
            text = N_("The file no longer has it, or has it in a line that cannot be read. It stays here as it was; mend the file to have it withdrawn.")
        else:
            text = N_("The file no longer has it. It stays here as it was.")
        for known in gone:
            self.report.enter(Entry(Outcome.GONE, known.key, (), (Reason("gone-withdrawn" if withdraw else "gone", text),)))
        self.report.offerings[Outcome.GONE] = len(gone)
        if not withdraw or self.dry_run:
            return
        for start in range(0, len(gone), CHUNK):
            self._withdraw([known.pk for known in gone[start : start + CHUNK]])

    def _withdraw(self, ids: Sequence[UUID]) -> None:
        """An empty hash marks what an import withdrew: when the file has it again, it comes back by itself."""
        with transaction.atomic():
            records = list(Offering.objects.select_for_update(of=("self",)).filter(pk__in=ids).exclude(state=State.WITHDRAWN))
            entries = []
            for record in records:
                entries.append(self._told(record, "withdraw", {"state": [record.state, State.WITHDRAWN.value]}))
                record.state, record.content_hash = State.WITHDRAWN, ""
                record.version, record.updated_at = record.version + 1, self.now
            _overwrite(Offering, records)
            indexing.announce([record.pk for record in records], self.now)
            for record in records:
                emit("offering.changed", offering_id=str(record.pk))
            audit.append(entries)
            enqueue_unless_waiting(indexing.index_changes)


@dataclass(frozen=True)
class _Held:
    """Records that must be compared, and the meetings of those offerings as plain values."""

    opportunities: dict[UUID, Opportunity]
    offerings: dict[UUID, Offering]
    meetings: dict[UUID, list[tuple[int, str, str, str]]]


def _opportunity_values(facts: OpportunityFacts) -> dict[str, Any]:
    return {
        "code": facts.code,
        "category": facts.category,
        "title": dict(facts.title),
        "description": dict(facts.description),
        "learning_outcomes": dict(facts.learning_outcomes),
        "prerequisites": dict(facts.prerequisites),
        "assessment": dict(facts.assessment),
        "accessibility": dict(facts.accessibility),
        "subject": facts.subject,
        "isced_f": facts.isced_f,
        "level": facts.level,
        "credits": facts.credits_low,
        "credits_high": facts.credits_high if facts.credits_high != facts.credits_low else None,
        "credit_values": [format(value.normalize(), "f") for value in facts.credit_values],
        "credit_system": facts.credit_system,
        "workload_hours": facts.workload_hours,
        "language": facts.language,
        "cefr": facts.cefr,
    }


def _apply(record: Any, values: Table[str, Any]) -> dict[str, Any]:
    """Set what differs; returns {name: [before, after]}."""
    changes = {}
    for name, value in values.items():
        before = getattr(record, name)
        if before != value:
            changes[name] = [_short(before), _short(value)]
            setattr(record, name, value)
    return changes


def _short(value: Any) -> Any:
    text = str(value)
    return (value if value is None or isinstance(value, int | dict | list) else text) if len(text) <= 1_000 else text[:1_000] + "…"


def _overwrite(model: Any, records: Sequence[Any]) -> None:
    """Write whole rows that are there already. One statement a batch: ten times faster than an UPDATE with CASE."""
    names = [column.name for column in model._meta.concrete_fields if not column.primary_key]
    model.objects.bulk_create(records, batch_size=CHUNK, update_conflicts=True, unique_fields=["id"], update_fields=names)


def _plain_meetings(meetings: Iterable[Weekly]) -> list[tuple[int, str, str, str]]:
    return sorted((m.weekday, m.starts, m.ends, m.label) for m in meetings)


def _meetings_of(offerings: Iterable[UUID]) -> dict[UUID, list[tuple[int, str, str, str]]]:
    found: dict[UUID, list[tuple[int, str, str, str]]] = defaultdict(list)
    wanted = list(offerings)
    for row in Meeting.objects.filter(offering_id__in=wanted).values_list("offering_id", "weekday", "starts", "ends", "label") if wanted else ():
        found[row[0]].append((row[1], f"{row[2]:%H:%M}", f"{row[3]:%H:%M}", row[4]))
    return {pk: sorted(meetings) for pk, meetings in found.items()}


def _told_meeting(meeting: tuple[int, str, str, str]) -> str:
    return " ".join(map(str, meeting)).rstrip()


@contextmanager
def _opened(source: Path | str | bytes) -> Iterator[Any]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        with Path(source).open("rb") as stream:
            yield stream
    except OSError as cause:
        text = N_("The file %(file)s cannot be read: %(cause)s.")
        raise Invalid(Reason("file", text, {"file": str(source), "cause": cause.strerror or str(cause)}, "file")) from cause


def _measured(stream: Any) -> tuple[str, int]:
    """SHA-256 and number of data lines (all lines but the first); the stream stands at its beginning afterwards."""
    digest, lines, last = hashlib.sha256(), 0, b"\n"
    while block := stream.read(1 << 20):
        digest.update(block)
        lines += block.count(b"\n")
        last = block[-1:]
    stream.seek(0)
    return digest.hexdigest(), max(0, lines + (last != b"\n") - 1)


def _record(organisation: Organisation, mapping: Mapping, source: Path | str | bytes, digest: str, total: int, by: Actor) -> Import:
    name = "catalogue.csv" if isinstance(source, bytes) else Path(source).name
    record = Import(
        organisation=organisation, file_name=name[:255], file_digest=digest, source=mapping.name[:200], mapping=mapping.name,
        dry_run=False, state=ImportState.RUNNING, total=total, person_id=by.person_id,
    )  # fmt: skip
    record.save()
    return record


@contextmanager
def _alone(organisation: Organisation) -> Iterator[None]:
    """One import at a time for an institution, on this machine and on others that share the database. Both locks fall by
    themselves when their holder dies."""
    folder = settings().data / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{organisation.pk}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise _busy() from cause
        if connection.vendor != "postgresql":
            yield
            return
        with _alone_among_machines(organisation.pk.int & 0x7FFF_FFFF_FFFF_FFFF):
            yield


@contextmanager
def _alone_among_machines(key: int) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        if not cursor.fetchone()[0]:
            raise _busy()
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _busy() -> Conflict:
    return Conflict(Reason("import-running", N_("Another import for this institution is running. Wait until it has finished.")))
