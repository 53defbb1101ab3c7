"""The audit of a large run in a second process, beside the writing of the result: both take as long, and neither needs the other."""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection

from vsm.exchange.allocation import audit

WORTH_A_PROCESS = 5_000_000  # bytes of problem and outcome: some ten thousand students, whose audit takes a second


def begin(problem: bytes, outcome: bytes) -> Callable[[], audit.Audit]:
    """Begin `audit.check` of these bytes; calling the answer waits for what it finds.

    A process that ends without an answer (killed, out of memory) is made up for here. Nobody has to wait: the process ends
    with the one that began it.
    """
    if len(problem) + len(outcome) < WORTH_A_PROCESS:
        return lambda: audit.check(problem, outcome)
    new = get_context("spawn")  # a forked process would share the connection to the database
    ours, theirs = new.Pipe(duplex=False)
    other = new.Process(target=_check, args=(theirs, problem, outcome), daemon=True)
    other.start()
    theirs.close()

    def found() -> audit.Audit:
        try:
            told: audit.Audit = ours.recv()
        except EOFError:
            told = audit.check(problem, outcome)
        other.join()
        return told

    return found


def _check(answer: Connection, problem: bytes, outcome: bytes) -> None:
    answer.send(audit.check(problem, outcome))
