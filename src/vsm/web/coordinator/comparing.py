"""Results side by side: charts drawn on the server, each with its table, and the small tables of the allocation's pages.

A column is a result with its counts (`counting.counts_of`) under a short key and a name; keys stand on the bars, so that no
colour has to be told from another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from vsm.exchange.allocation.flows import Balance
from vsm.exchange.allocation.freezing import by_id
from vsm.exchange.allocation.policies import group_name
from vsm.exchange.applications.queries import title_of
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of
from vsm.kit.i18n import N_
from vsm.kit.saying import say
from vsm.rulebook import groups
from vsm.web.templatetags.look import number

MOST_ROWS = 12


@dataclass(frozen=True)
class Column:
    """One result beside others."""

    key: str
    label: str
    counts: Mapping[str, Any]


def overview(columns: Sequence[Column]) -> dict[str, Any]:
    """One line for each question, one column for each result."""
    questions: list[tuple[str, Callable[[Mapping[str, Any]], Any]]] = [
        (_("Students with a seat"), lambda c: c["placed"]),
        (_("Students without"), lambda c: c["unplaced"]),
        (_("With their first choice"), lambda c: dict(c["ranks"]).get(1, 0)),
        (_("Mean place of the best choice got"), mean_rank),
        (_("Seats given"), lambda c: c["seats_given"]),
        (_("Seats left"), lambda c: c["seats_left"]),
        (_("Students with fewer credits than the least"), lambda c: c.get("few_credits") or None),
        (_("Pairs of a student passed over and one with worse priority"), lambda c: c.get("envy")),
    ]
    lines = [(label, [ask(column.counts) for column in columns]) for label, ask in questions]
    lines = [(label, values) for label, values in lines if any(value is not None for value in values)]
    labels = [_("Question"), *(f"{column.key} · {column.label}" for column in columns)]
    made = table(_("Side by side"), labels, [([label, *values], "") for label, values in lines], short=[labels[0], *(column.key for column in columns)])
    return {**made, "legend": [{"key": column.key, "label": column.label} for column in columns]}


def charts(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Rank distribution, by group, by institution, seats left: those that have something to show."""
    found = [ranks(columns), by_group(columns), by_home(columns), left(columns)]
    return [chart for chart in found if chart["rows"]]


def placed_of(counts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One result alone: of how many nominated how many have a seat, by group and by home institution; seats wanted, given and left."""
    both = [Column("A", _("Nominated students"), counts), Column("B", _("Students with a seat"), counts)]
    homes = home_names(both)
    groups_told = [(_group(slug), [every, part]) for slug, every, part in counts.get("groups", ())]
    homes_told = [(homes[home], [nominated, placed]) for home, nominated, placed in sorted(counts["homes"], key=lambda row: homes[row[0]].casefold())]
    seats = [Column("A", _("Seats"), counts), Column("B", _("Seats given"), counts), Column("C", _("Students who ranked it"), counts)]
    wanted = sorted(counts["offerings"], key=lambda row: (-row[3], row[0]))[:MOST_ROWS]
    titles = offering_titles([row[0] for row in wanted])
    courses = [(titles[offering], [seats_in, given, ranked]) for offering, seats_in, given, ranked, *_more in wanted]
    found = [
        series(_("By group: nominated, and with a seat"), both, groups_told),
        series(_("By home institution: nominated, and with a seat"), both, homes_told[:MOST_ROWS]),
        series(_("By course: seats, those given, and students who ranked it"), seats, courses),
    ]
    return [chart for chart in found if any(bar["value"] for row in chart["rows"] for bar in row["bars"])]


def mean_rank(counts: Mapping[str, Any]) -> str | None:
    """The mean of the best ranks got, with two digits; None when nobody got a seat."""
    placed = sum(students for _rank, students in counts["ranks"])
    if not placed:
        return None
    total = Decimal(sum(rank * students for rank, students in counts["ranks"]))
    return number((total / placed).quantize(Decimal("0.01")))


def ranks(columns: Sequence[Column]) -> dict[str, Any]:
    known = sorted({rank for column in columns for rank, _students in column.counts["ranks"]})
    rows = [(_("Choice %(rank)d") % {"rank": rank}, [dict(column.counts["ranks"]).get(rank, 0) for column in columns]) for rank in known]
    return series(_("Students by the best choice they got a seat in"), columns, [*rows, (_("No seat"), [column.counts["unplaced"] for column in columns])])


def by_group(columns: Sequence[Column]) -> dict[str, Any]:
    """With a seat, of those in a group who agreed to be counted; files may name groups that the rulebook does not."""
    known = list(dict.fromkeys(row[0] for column in columns for row in column.counts.get("groups", ())))
    rows = [(_group(slug), [next((row[2] for row in column.counts.get("groups", ()) if row[0] == slug), None) for column in columns]) for slug in known]
    return series(_("Students with a seat, by group"), columns, rows)


def by_home(columns: Sequence[Column]) -> dict[str, Any]:
    names = home_names(columns)
    rows = [(name, [next((row[2] for row in column.counts["homes"] if row[0] == home), 0) for column in columns]) for home, name in names.items()]
    return series(_("Students with a seat, by home institution"), columns, rows[:MOST_ROWS])


def left(columns: Sequence[Column]) -> dict[str, Any]:
    """The courses in which some result leaves seats free, those with most of them first."""
    free = {row[0]: 0 for column in columns for row in column.counts["offerings"]}
    for column in columns:
        for row in column.counts["offerings"]:
            free[row[0]] = max(free[row[0]], row[1] - row[2])
    chosen = [offering for offering, seats in sorted(free.items(), key=lambda pair: (-pair[1], pair[0])) if seats][:MOST_ROWS]
    titles = offering_titles(chosen)
    rows = [(titles[offering], [next((row[1] - row[2] for row in column.counts["offerings"] if row[0] == offering), 0) for column in columns]) for offering in chosen]
    return series(_("Seats left, by course"), columns, rows)


def series(title: str, columns: Sequence[Column], rows: Sequence[tuple[str, Sequence[int | None]]]) -> dict[str, Any]:
    """As components/chart_series.html draws it. None is a number that is not told."""
    largest = max((value for _label, values in rows for value in values if value), default=0)
    return {
        "title": title,
        "series": [{"key": column.key, "label": column.label} for column in columns],
        "rows": [
            {
                "label": label,
                "bars": [
                    {"key": column.key, "value": value, "share": f"{100 * (value or 0) / largest:.1f}" if largest else "0"}
                    for column, value in zip(columns, values, strict=True)
                ],
            }
            for label, values in rows
        ],
    }


def home_names(columns: Sequence[Column]) -> dict[str, str]:
    ids = {row[0] for column in columns for row in column.counts["homes"] if row[0]}
    found = {str(home.pk): name_of(home) for home in _organisations(ids)}
    named = {home: found.get(home, home) for home in ids}
    return dict(sorted(named.items(), key=lambda pair: pair[1].casefold()))


def offering_titles(ids: Sequence[str]) -> dict[str, str]:
    """Titles of our offerings; an id of a file stands for itself."""
    known = {key: title_of(offering) for key, offering in by_id(each for each in ids if _is_uuid(each)).items()}
    return {each: known.get(each, each) for each in ids}


def ledger(balances: Sequence[Balance], now: Mapping[tuple[str, str], int], *, bound: int | None = None) -> dict[str, Any] | None:
    """Partner by partner: what was taken and given so far, what this result adds, and the balance after it."""
    names = {str(o.pk): name_of(o) for o in Organisation.objects.filter(pk__in={each for b in balances for each in (b.home, b.host)})}
    rows = []
    for each in sorted(balances, key=lambda b: (names[b.host], names[b.home])):
        added = now.get((each.home, each.host), 0)
        if not (each.taken or each.given or added):
            continue
        after = each.before + added
        sentence = (_("Accepting these makes the balance %(after)+d.") if added else _("The balance stays %(after)+d.")) % {"after": after}
        if bound is not None and after > bound:
            sentence += " " + _("That is beyond the bound of %(bound)d.") % {"bound": bound}
        rows.append(([f"{names[each.home]} → {names[each.host]}", each.taken, each.given, f"{each.before:+d}", added, sentence], ""))
    if not rows:
        return None
    labels = [_("From and to"), _("Taken so far"), _("Given so far"), _("Balance"), _("This result"), _("After it")]
    return table(_("The balance with each partner"), labels, rows)


BOUNDS = {
    "agreements": N_("Seats promised in agreements"), "balance": N_("Balance with each partner"), "limit": N_("Least and most seats"), "group": N_("Least and most seats"),
}  # fmt: skip


def bounds(counts: Mapping[str, Any]) -> dict[str, Any] | None:
    """How full each bound is with this result; None where the rules have none."""
    told = counts.get("bounds", ())
    if not told:
        return None
    names = {str(o.pk): name_of(o) for o in _organisations({each["home"] for each in told})}
    titles = offering_titles([offering for each in told for offering in each["offerings"]])
    rows = [
        ([
            say(BOUNDS.get(each["kind"], each["kind"])), names.get(each["home"], each["home"]) or _group(each["group"]),
            ", ".join(titles[offering] for offering in each["offerings"]) or _("every course"),
            each["minimum"] or "–", "–" if each["maximum"] is None else each["maximum"], each["given"],
            _("A bound that holds") if each["hard"] else _("A bound that gives way"),
        ], "")
        for each in told
    ]  # fmt: skip
    return table(_("How full the bounds are"), [_("Bound"), _("Whose students"), _("In"), _("At least"), _("At most"), _("Given"), _("Kind of bound")], rows)


def table(caption: str, labels: Sequence[str], rows: Sequence[tuple[Sequence[Any], str]], *, short: Sequence[str] = ()) -> dict[str, Any]:
    """A small table as components/listing.html shows it: on a phone each row is a card, whose lines have the `short` labels."""
    return {
        "caption": caption,
        "columns": [{"label": label} for label in labels],
        "rows": [{"url": url, "cells": [_cell(label, value) for label, value in zip(short or labels, row, strict=True)]} for row, url in rows],
        "total": len(rows), "first": 1 if rows else 0, "last": len(rows), "empty": {"text": _("Nothing here yet.")},
    }  # fmt: skip


def _cell(label: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {**value, "label": label}
    if value is None:
        return {"label": label, "value": _("too few to tell"), "kind": "text"}
    return {"label": label, "value": value, "kind": "number" if isinstance(value, int) else "text"}


def _group(slug: str) -> str:
    return group_name(slug) if slug in {each.slug for each in groups()} else slug


def _organisations(ids: set[str]) -> list[Organisation]:
    return list(Organisation.objects.filter(pk__in=[each for each in ids if _is_uuid(each)]))


def _is_uuid(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4
