"""What would be if: all mechanisms side by side on a call with other seats or reserves, or on files that anybody can hand in.

A trial draws a lottery of its own: with the sealed one, somebody could change seats until a certain student wins. The
worker computes it, because the optimum and the compiled kernels belong into no web process.
"""

import csv
import io
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_tasks import task
from pydantic import BaseModel, Field

from vsm.exchange.allocation import file_runs, files, preflib
from vsm.exchange.allocation.comparison import summary, what_if
from vsm.exchange.allocation.computing import kernels
from vsm.exchange.allocation.counting import counts_of
from vsm.exchange.allocation.freezing import Assembled, problem_of, rules_of
from vsm.exchange.allocation.models import Trial, TrialFile
from vsm.exchange.allocation.policies import ReserveRow, effect_of, groups_asked_by, one_of
from vsm.exchange.allocation.policy import CLASH_EFFECTS, LOTTERY_EFFECTS, MECHANISM_EFFECTS
from vsm.exchange.allocation.problem import Mechanism, Problem
from vsm.exchange.allocation.queries import failures_of
from vsm.exchange.allocation.solver import allocate as solve
from vsm.exchange.allocation.states import TRIAL_STEPS, TrialState
from vsm.exchange.applications.models import Application, Call
from vsm.exchange.applications.queries import Wish, call_ref, offerings_of, title_of
from vsm.exchange.applications.states import State
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import organisation_ref
from vsm.exchange.institutions.rules import teaches
from vsm.kit import clock
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused, VsmError
from vsm.kit.i18n import N_
from vsm.kit.resources import Filter, Ref, Resource, Shown, resource, state_filter
from vsm.kit.saying import say, say_reasons
from vsm.kit.uploads import Upload
from vsm.kit.verdict import Reason

OFFICE = ("coordinator@organisation",)
TRIAL_STATES = {
    TrialState.WAITING.value: (_("Being computed"), "info"),
    TrialState.READY.value: (_("Ready"), "good"),
    TrialState.FAILED.value: (_("No result"), "bad"),
    TrialState.DISCARDED.value: (pgettext_lazy("trial", "Discarded"), "neutral"),
}
MECHANISM_NAMES = {
    **{effect.value: effect.label for effect in MECHANISM_EFFECTS if effect.value},
    Mechanism.UTILITARIAN.value: N_("Best sum of ranks (utilitarian), for comparison only"),
}
SHORT_NAMES = {
    Mechanism.DEFERRED_ACCEPTANCE.value: N_("Priorities, then lottery"),
    Mechanism.SERIAL_DICTATORSHIP.value: N_("Lottery alone"),
    Mechanism.UTILITARIAN.value: N_("Best sum of ranks"),
}
FILES = ("offerings", "students", "choices", "reserves", "limits", "quotas", "meetings")
MOST_COMPARED = 100_000  # choices; an optimum of more takes minutes
MOST_VARIED = 200  # lines of a form; the REST API takes any
MOST_VOTERS = 20_000  # one line of a PrefLib file can stand for millions
MOST_KEPT = 50  # trials of one institution; the oldest goes


# Of a call ------------------------------------------------------------------------------------------------------------


class SeatsRow(BaseModel):
    """One course with the seats to try."""

    offering: Annotated[str, Ask(_("Course"), kind="hidden")]
    title: Annotated[str, Ask(_("Course"), kind="read_only")] = ""
    seats: Annotated[int, Field(ge=0, le=10_000), Ask(_("Seats"))]


def _seats_now(call: Call, _actor: Actor) -> list[SeatsRow]:
    return [SeatsRow(offering=str(row.offering_id), title=title_of(row.offering), seats=row.seats) for row in offerings_of(call)]


def _has_nominated(call: Call) -> bool:
    return Application.objects.filter(call=call, nomination__isnull=False).exists()


@action("try_out", on=Call, label=_("Compare the rules, try other seats"), allow=OFFICE, when=_has_nominated)
def try_out(
    call: Call, *, by: Actor, now: datetime,
    title: Annotated[str, Ask(_("Name of this trial"), _("For example “two more seats in statistics”."), limit=200)] = "",
    seats: Annotated[list[SeatsRow], Ask(_("Seats to try"), _("Leave them as they are to compare the rules alone."), start=_seats_now)] = [],  # noqa: B006 -- never changed; pydantic copies it
    reserves: Annotated[list[ReserveRow] | None, Ask(
        _("Reserved seats to try"), start=lambda call, _actor: [ReserveRow(**row) for row in rules_of(call).reserves],
    )] = None,
) -> Trial:  # fmt: skip
    """Compute every mechanism side by side, as the call is and with these changes. Nobody is told; nothing can be published from it."""
    nominated = Application.objects.filter(call=call, state=State.NOMINATED).count()
    if not nominated:
        raise Refused(Reason("nobody-nominated", N_("No application in this call is nominated.")))
    known = {str(row.offering_id): row.seats for row in offerings_of(call)}
    asked = set(groups_asked_by(call.organisation))
    found = [Reason("not-in-call", N_("An offering is not part of this call."), {}, "seats") for row in seats if row.offering not in known]
    for row in reserves or ():
        if row.group not in asked:
            found.append(Reason("group-unknown", N_("“%(group)s” is not a group that can be asked about here."), {"group": row.group}, "reserves"))
        if row.offering and row.offering not in known:
            found.append(Reason("not-in-call", N_("An offering is not part of this call."), {}, "reserves"))
    Invalid.because(found)
    other = [{"offering": row.offering, "seats": row.seats} for row in seats if row.seats != known[row.offering]]
    reserved = [row.model_dump() for row in reserves] if reserves is not None else None
    changes: dict[str, Any] = {"seats": other} if other else {}
    if reserved is not None and reserved != rules_of(call).reserves:
        changes["reserves"] = reserved
    return _begun(call.organisation, call=call, title=title.strip(), changes=changes)


# Of files -------------------------------------------------------------------------------------------------------------


@action("solve_files", on=Organisation, label=_("Give seats from files"), allow=("coordinator@id",), when=teaches)
def solve_files(
    organisation: Organisation, *, by: Actor, now: datetime,
    offerings: Annotated[Upload, Ask("offerings.csv", _("Columns: offering_id, capacity."))],
    students: Annotated[Upload, Ask("students.csv", _("Columns: student_id, seats_wanted, groups (separated by |). Use identifiers, not names."))],
    choices: Annotated[Upload, Ask("choices.csv", _("Columns: student_id, rank, offering_id, priority: a number, lower goes first, ties allowed."))],
    reserves: Annotated[Upload | None, Ask(_("reserves.csv (if seats are reserved)"), _("Columns: offering_id, group, seats."))] = None,
    limits: Annotated[Upload | None, Ask(_("limits.csv (if a group has least or most seats)"), _("Columns: offering_id, group, minimum, maximum. These hold; an empty cell is no limit."))] = None,
    quotas: Annotated[Upload | None, Ask(
        _("quotas.csv (if agreements bound the seats)"),
        _("Columns: quota_id, origins, labels, minimum, maximum, hard (yes or no). It counts students by the column origin of students.csv, courses by the column labels of offerings.csv."),
    )] = None,
    meetings: Annotated[Upload | None, Ask(
        _("meetings.csv (if nobody may have two seats that clash)"), _("Columns: offering_id, weekday (1 is Monday), starts, ends (such as 09:30, all in one time zone)."),
    )] = None,
    mechanism: Annotated[Literal["deferred_acceptance", "serial_dictatorship", "utilitarian"], Ask(_("Rules"), choices=lambda _o, _a: [(value, say(text)) for value, text in MECHANISM_NAMES.items()])] = "deferred_acceptance",
    lottery: Annotated[Literal["single", "per_offering"], Ask(_("Lottery"), choices=one_of(LOTTERY_EFFECTS))] = "single",
    timetable: Annotated[Literal["fast", "exact"], Ask(
        _("Clashing timetables"), _("It counts where there is a meetings.csv, or students.csv says how many credits somebody may have."), choices=one_of(CLASH_EFFECTS[1:]),
    )] = "fast",
    seed: Annotated[str, Ask(_("Seed of the lottery"), _("The same seed and files give the same result. Left empty, one is drawn."), limit=200)] = "",
    title: Annotated[str, Ask(_("Name of this trial"), limit=200)] = "",
) -> Trial:  # fmt: skip
    """Solve a problem from CSV files, with all mechanisms beside it for comparison. The answer is there as files too."""
    sent = {name: _text_of(upload, name) for name, upload in zip(FILES, (offerings, students, choices, reserves, limits, quotas, meetings), strict=True) if upload is not None}
    trial = _begun(organisation, title=title.strip(), mechanism=mechanism, lottery=lottery, timetable=timetable, seed=seed.strip())
    for name, content in sent.items():
        TrialFile(trial=trial, name=f"{name}.csv", content=content).save()
    return trial


@action("solve_lists", on=Organisation, label=_("Give seats from PrefLib lists"), allow=("coordinator@id",), when=teaches)
def solve_lists(
    organisation: Organisation, *, by: Actor, now: datetime,
    lists: Annotated[Upload, Ask(_("Lists of wishes"), _("A file of PrefLib: .soc, .soi, .toc or .toi. Its alternatives are the courses."))],
    seats: Annotated[int, Field(ge=0, le=10_000), Ask(_("Seats in each course"), _("The format says nothing of seats. You can change them course by course afterwards."))] = 1,
    mechanism: Annotated[Literal["deferred_acceptance", "serial_dictatorship", "utilitarian"], Ask(_("Rules"), choices=lambda _o, _a: [(value, say(text)) for value, text in MECHANISM_NAMES.items()])] = "deferred_acceptance",
    lottery: Annotated[Literal["single", "per_offering"], Ask(_("Lottery"), choices=one_of(LOTTERY_EFFECTS))] = "single",
    seed: Annotated[str, Ask(_("Seed of the lottery"), _("The same seed and files give the same result. Left empty, one is drawn."), limit=200)] = "",
    title: Annotated[str, Ask(_("Name of this trial"), limit=200)] = "",
) -> Trial:  # fmt: skip
    """Solve a problem from lists in a PrefLib format: everybody has the same priority, and the lottery decides."""
    read = preflib.read(_text_of(lists, "lists", "soi"))
    voters = sum(count for count, _order in read.orders)
    if voters > MOST_VOTERS:
        raise Invalid(Reason("too-many-voters", N_("These lists stand for %(voters)s voters; here are solved at most %(most)s. Use the command line for more."), {"voters": voters, "most": MOST_VOTERS}, "lists"))
    problem = preflib.problem_of(read, seats=seats, seed="0")
    trial = _begun(organisation, title=title.strip(), mechanism=mechanism, lottery=lottery, seed=seed.strip())
    for name, content in files.problem_files(problem).items():
        TrialFile(trial=trial, name=name, content=content.decode()).save()
    return trial


def _seats_of_files(trial: Trial, _actor: Actor) -> list[SeatsRow]:
    if trial.call_id is not None:
        return []  # the form is drawn before it is told that the act is for trials of files
    return [SeatsRow(offering=name, title=name, seats=seats) for name, seats in list(_capacities(trial).items())[:MOST_VARIED]]


@action("vary", on=Trial, label=_("Try other seats"), allow=OFFICE, step=TRIAL_STEPS["vary"], tone="primary", when=lambda trial: trial.call_id is None)
def vary(
    trial: Trial, *, by: Actor, now: datetime,
    seats: Annotated[list[SeatsRow], Ask(_("Seats to try"), start=_seats_of_files)],
    title: Annotated[str, Ask(_("Name of this trial"), _("For example “two more seats in statistics”."), limit=200)] = "",
) -> Trial:  # fmt: skip
    """Solve the same files with other seats, beside the seats as they are. The lottery is the same, so that only the seats differ."""
    held = _capacities(trial)
    unknown = sorted({row.offering for row in seats} - held.keys())
    Invalid.because([Reason("offering-unknown", N_("There is no offering %(offering)s in the files of this trial."), {"offering": each}, "seats") for each in unknown])
    other = {row.offering: row.seats for row in seats if row.seats != held[row.offering]}
    if not other:
        raise Invalid(Reason("nothing-varied", N_("All seats are as they were. Change at least one number."), {}, "seats"))
    changes = {"seats": [{"offering": name, "seats": count} for name, count in other.items()], "before": {name: held[name] for name in other}}
    rules = {"mechanism": trial.mechanism, "lottery": trial.lottery, "timetable": trial.timetable, "seed": trial.seed}
    varied = _begun(trial.organisation, title=title.strip(), changes=changes, **rules)
    for file in trial.files.filter(is_answer=False):
        content = _with_seats(file.content, other) if file.name == "offerings.csv" else file.content
        TrialFile(trial=varied, name=file.name, content=content).save()
    return varied


def _capacities(trial: Trial) -> dict[str, int]:
    """Offering → its seats, in the order of the file; a trial that is ready was made from files without faults."""
    content = trial.files.get(name="offerings.csv", is_answer=False).content
    return {row["offering_id"]: int(row["capacity"]) for row in _rows_of(content)}


def _rows_of(content: str) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(content, newline=""), delimiter=files.separator(content))
    return [row for row in rows if any(cell.strip() for cell in row.values())]


def _with_seats(content: str, seats: Mapping[str, int]) -> str:
    """The same offerings.csv with other numbers in it."""
    rows, sink = _rows_of(content), io.StringIO(newline="")
    writer = csv.DictWriter(sink, list(rows[0]), lineterminator="\n", delimiter=files.separator(content))
    writer.writeheader()
    writer.writerows({**row, "capacity": seats.get(row["offering_id"], row["capacity"])} for row in rows)
    return sink.getvalue()


@action("discard", on=Trial, label=_("Discard this trial"), allow=OFFICE, step=TRIAL_STEPS["discard"], tone="warning")
def discard(trial: Trial, *, by: Actor, now: datetime) -> Trial:
    """Forget its files and results; that there was a trial stays known."""
    trial.files.all().delete()
    trial.columns, trial.error = [], []
    return trial


@action("note_ready", on=Trial, label=_("Keep the computed result"), allow=(), step=TRIAL_STEPS["note_ready"])
def note_ready(trial: Trial, *, by: Actor, now: datetime, columns: Any = (), answer: Any = None) -> Trial:
    """The worker has computed it. `columns` are the results side by side, `answer` its files by name."""
    trial.columns, trial.finished_at, trial.error = list(columns), now, []
    for name, content in (answer or {}).items():
        TrialFile(trial=trial, name=name, content=content, is_answer=True).save()
    return trial


@action("give_up", on=Trial, label=_("Give up the computation"), allow=(), step=TRIAL_STEPS["give_up"])
def give_up(trial: Trial, *, by: Actor, now: datetime, because: str = "", error: Any = ()) -> Trial:
    """There is no result: the trial says why."""
    trial.error, trial.finished_at = list(error), now
    return trial


@task(queue_name="long")
def compute_trial(trial_id: str) -> None:
    """Compute a trial. Repeatable; one that was deleted meanwhile is nobody's loss."""
    trial = Trial.objects.select_related("call__organisation", "organisation").filter(pk=trial_id).first()
    if trial is None or trial.state != TrialState.WAITING:
        return
    try:
        columns, answer = (_of_call(trial, trial.call), {}) if trial.call else _of_files(trial)
    except VsmError as refusal:
        told = [{"code": r.code, "text": r.text, "params": {name: str(value) for name, value in r.params.items()}} for r in refusal.reasons[:100]]
        give_up(trial, by=SYSTEM, now=clock.now(), because="; ".join(say_reasons(refusal.reasons))[:2000], error=told)
        return
    note_ready(trial, by=SYSTEM, now=clock.now(), columns=columns, answer=answer)


def _begun(organisation: Organisation, **facts: Any) -> Trial:
    held = Trial.objects.filter(organisation=organisation).order_by("-number")
    for old in held[MOST_KEPT - 1 :]:
        old.files.all().delete()
        Trial.objects.filter(pk=old.pk).delete()
    last = held.first()
    seed = facts.pop("seed", "") or secrets.token_hex(16)
    trial = Trial(organisation=organisation, number=last.number + 1 if last else 1, seed=seed, **facts)
    trial.save()
    compute_trial.enqueue(trial_id=str(trial.pk))
    return trial


def _text_of(upload: Upload, name: str, kind: str = "csv") -> str:
    try:
        return bytes(upload.data).decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise Invalid(Reason("not-text", N_("%(file)s is no text in UTF-8. Save it as CSV (UTF-8)."), {"file": f"{name}.{kind}"}, name)) from cause


# Computing ------------------------------------------------------------------------------------------------------------


def _of_call(trial: Trial, call: Call) -> list[dict[str, Any]]:
    """As the call is, and, where something is to be different, with the changes: each by every mechanism."""
    sides = [("now", {})] + ([("changed", trial.changes)] if trial.changes else [])
    return [
        {"side": side, "mechanism": mechanism, "counts": counts}
        for side, changes in sides
        for mechanism, counts in _side_by_side(problem_of(call, mechanism=Mechanism.DEFERRED_ACCEPTANCE, seed=trial.seed, changes=changes))
    ]


def _side_by_side(assembled: Assembled) -> Iterator[tuple[str, dict[str, Any]]]:
    for mechanism in Mechanism:
        problem = assembled.problem.but(mechanism=mechanism)
        outcome = solve(problem, kernels(problem))
        told = summary(problem, outcome)
        counts = counts_of(Assembled(problem, assembled.wishes, assembled.hosts, assembled.statistics), outcome)
        yield mechanism.value, {**counts, "envy": told.envy, "few_credits": told.few_credits}


def _of_files(trial: Trial) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """What the files ask for, as files; and beside it what every mechanism would give."""
    sent = {file.name: file.content.encode() for file in trial.files.filter(is_answer=False)}
    drawn = {"seed": trial.seed, "lottery": trial.lottery, "timetable": trial.timetable}
    answer = file_runs.solve(sent, mechanism=trial.mechanism, **drawn)
    problem = files.problem_of(sent, **drawn)
    size = sum(len(student.choices) for student in problem.students)
    sides = [("changed", problem)] if trial.changes else [("now", problem)]
    if trial.changes:
        sides.insert(0, ("now", what_if(problem, capacities=trial.changes["before"])))
    columns = [] if size > MOST_COMPARED else [
        {"side": side, "mechanism": name, "counts": counts} for side, each in sides for name, counts in _side_by_side(_anonymous(each))
    ]  # fmt: skip
    answer = {name: bytes(content).decode() for name, content in answer.items()} | {"lists.soi": preflib.written(problem, trial_title(trial))}
    return columns, answer


def _anonymous(problem: Problem) -> Assembled:
    """A problem of files as the counts take it: no homes, and the groups that the file names."""
    wishes = {s.id: Wish(s.id, s.origin, tuple(c.offering for c in s.choices), s.seats_wanted, s.choices[0].band if s.choices else 1) for s in problem.students}
    return Assembled(problem, wishes, {}, {s.id: frozenset(s.groups) for s in problem.students if s.groups})


# What doors read ------------------------------------------------------------------------------------------------------


def trial_title(trial: Trial) -> str:
    number = say(N_("Trial %(number)d")) % {"number": trial.number}
    return f"{number} · {trial.title}" if trial.title else number


def _of_files_alone(trial: Trial, value: str) -> str:
    """What was chosen for files; nothing for a call, whose own rules say it."""
    return value if trial.call_id is None else ""


def _plain(trial: Trial) -> list[dict[str, Any]]:
    return [{"side": column["side"], "mechanism": column["mechanism"], **column["counts"]} for column in trial.columns]


def _of_call_filter(found: Any, value: str) -> Any:
    return found.filter(call_id=value)


TRIAL = resource(
    Resource(
        "trial", "trials", Trial, _("Trial"), _("Trials"), trial_title,
        fields=(
            Shown("number", _("Number"), lambda t: t.number, "integer", listed=True, sort="number"),
            Shown("call", _("Call"), lambda t: call_ref(t.call) if t.call_id else None, "ref", listed=True),
            Shown("organisation", _("Institution"), lambda t: organisation_ref(t.organisation), "ref"),
            Shown("state", _("State"), lambda t: t.state, "state", listed=True, sort="state"),
            Shown("mechanism", _("Rules"), lambda t: t.mechanism, words=MECHANISM_NAMES),
            Shown("lottery", _("Lottery"), lambda t: _of_files_alone(t, t.lottery), words=lambda code: effect_of(LOTTERY_EFFECTS, code).label),
            Shown("timetable", _("Clashing timetables"), lambda t: _of_files_alone(t, t.timetable), words=lambda code: effect_of(CLASH_EFFECTS, code).label),
            Shown("made_at", _("Made"), lambda t: t.created_at, "moment", listed=True, sort="created_at"),
            Shown("seed", _("Seed of the trial’s own lottery"), lambda t: t.seed, "digest"),
            Shown("changes", _("Changes"), lambda t: t.changes, "json", detail=False),
            Shown("columns", _("Results side by side"), _plain, "json", detail=False),
            Shown("failures", _("There is no result"), lambda t: say_reasons(failures_of(t)) if t.error else [], "list", detail=False, alone=True),
        ),
        filters=(state_filter(TRIAL_STATES), Filter("call", _("Call"), _of_call_filter, kind="text")),
        order="-created_at", states=TRIAL_STATES, related=("organisation", "call__organisation"),
        starts=(("organisation", "solve_files"), ("organisation", "solve_lists")),
        empty=_("No trials. Compare the rules from a call’s allocation page, or hand in files."),
    )
)  # fmt: skip

TRIAL_FILE = resource(
    Resource(
        "trial_file", "trial-files", TrialFile, _("File of a trial"), _("Files of trials"), lambda f: f.name,
        fields=(
            Shown("name", _("Name"), lambda f: f.name, listed=True, sort="name"),
            Shown("trial", _("Trial"), lambda f: Ref("trial", f.trial_id, trial_title(f.trial)), "ref", listed=True),
            Shown("is_answer", _("Answer"), lambda f: f.is_answer, "bool", listed=True, sort="is_answer"),
            Shown("content", _("Text of the file"), lambda f: f.content, "json", detail=False),
        ),
        filters=(Filter("trial", _("Trial"), lambda found, value: found.filter(trial_id=value), kind="text"),),
        order="name", related=("trial",),
        empty=_("No files."),
    )
)  # fmt: skip


def changed_offerings(changes: Mapping[str, Any]) -> list[str]:
    return [row["offering"] for row in changes.get("seats", ())]
