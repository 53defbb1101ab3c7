"""Which courses of a transcript can be certified, and where a credential stands on a status list. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from vsm.exchange.recognition.transcript import Component, Content
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason, Verdict


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the record of results says today about one line of a transcript."""

    grade: str
    credits: Decimal
    passed: bool
    is_final: bool


def passed(content: Content) -> list[Component]:
    """The courses that a credential can be given for."""
    return [component for component in content["components"] if component["outcome"] == "passed"]


def certifiable(
    content: Content, results: Mapping[str, Standing], *, is_intact: bool, outdated_on: str = ""
) -> Verdict:
    """Whether every passed course can be certified. `results` is by result id; `outdated_on` is a day in ISO 8601."""
    return Verdict.of(_obstacles(content, results, is_intact=is_intact, outdated_on=outdated_on))


def free_index(entries: int, is_taken: Callable[[int], bool], draw: Callable[[int], int]) -> int:
    """A place on a status list that nobody has, by chance: a place must not tell when or for whom it was given.

    `draw(n)` gives a number below n. Keep lists at most half full, then two draws are enough on average.
    """
    while True:
        index = draw(entries)
        if not is_taken(index):
            return index


def _obstacles(
    content: Content, results: Mapping[str, Standing], *, is_intact: bool, outdated_on: str
) -> Iterator[Reason]:
    if not is_intact:
        text = N_(
            "The transcript no longer has the fingerprint it was issued with: it was changed outside this program. "
            "Nothing can be certified from it; tell whoever runs this installation."
        )
        yield Reason("transcript-altered", text)
    if outdated_on:
        text = N_("A result on this transcript was corrected on %(day)s. Issue a new edition first.")
        yield Reason("transcript-outdated", text, {"day": outdated_on})
    components = passed(content)
    if not components:
        yield Reason("nothing-passed", N_("No course on this transcript was passed, so there is nothing to certify."))
    for component in components:
        yield from _contradictions(component, results.get(component["result_id"]))


def _contradictions(component: Component, standing: Standing | None) -> Iterator[Reason]:
    title = {"title": component["title"]}
    if standing is None:
        yield Reason("no-result", N_("There is no result for %(title)s in the records."), title)
        return
    if not standing.is_final:
        text = N_("The result of %(title)s is not final any more. Confirm it and issue a new edition first.")
        yield Reason("result-not-final", text, title)
    written = (component["grade"], Decimal(component["credits_earned"]), True)
    if (standing.grade, standing.credits, standing.passed) != written:
        text = N_("The records say something else about %(title)s than the transcript does. Issue a new edition first.")
        yield Reason("result-differs", text, title)
