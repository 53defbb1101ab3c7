"""From a grade to recognised credit: what may be done here, in the order in which it is done.

The three steps stand in modules of their own: `recording` (the teacher and the host's office), `issuing` (the host's
office) and `deciding` (the registrar at home, and the student who asks again).
"""

from vsm.exchange.recognition.deciding import (
    ask_again,
    propose,
    propose_decisions,
    recognise,
    recognise_partly,
    reconsider,
    refuse,
)
from vsm.exchange.recognition.issuing import issue_transcript, reissue
from vsm.exchange.recognition.recording import (
    ResultRow,
    confirm,
    confirm_results,
    correct,
    enter_results,
    import_results,
    rows_to_grade,
)

__all__ = [
    "ResultRow",
    "ask_again",
    "confirm",
    "confirm_results",
    "correct",
    "enter_results",
    "import_results",
    "issue_transcript",
    "propose",
    "propose_decisions",
    "recognise",
    "recognise_partly",
    "reconsider",
    "refuse",
    "reissue",
    "rows_to_grade",
]
