"""The word for a state agrees with its noun: a credencial is revocada, a token is revocado."""

import re

import pytest
from django.utils import translation

from vsm.kit.resources import RESOURCES

# The feminine ones, and the plural ones; all others are masculine and stand alone.
FEMININE = {
    "es": "call application opportunity offering import run seat appeal trial message invitation enrolment session series team_formation mobility decision credential admission condition term_enrolment interruption vacancy placement_application interview placement hours_entry placement_evaluation host preparation participation preparation_requirement emergency roster_file partner_wish partner_invitation partner_fair registration release own_table series_break",
    "pt-br": "call application opportunity offering import run seat message enrolment session series team_formation team mobility decision credential admission condition term_enrolment interruption vacancy placement_application interview hours_entry placement_evaluation host preparation participation preparation_requirement emergency roster_file partner_wish partner_fair registration release own_table series_break",
    "fr": "application opportunity offering run seat message invitation enrolment session series team_formation team mobility decision credential intake admission admission_document condition study term_enrolment interruption vacancy placement_application placement_agreement hours_entry placement_evaluation host preparation participation preparation_requirement emergency roster_file partner_invitation partner_fair registration release own_table series_break award_recognition",
}  # fmt: skip
PLURAL = {"hours_entry", "study", "placement_credit"}
# Told of whoever or whatever the record is about: a course or an award is recognised, not its decision.
OF_ANOTHER = {("decision", "recognised"), ("decision", "partly"), ("decision", "refused"), ("award_recognition", ""), ("concern", "acknowledged"), ("switch_run", "done")}
PARTICIPLE = {"es": r"(?:ad|id|t|rt)(o|a)(s?)", "pt-br": r"(?:ad|id|t|rt)(o|a)(s?)", "fr": r"\w+?é(e?)(s?)"}


@pytest.mark.parametrize("language", sorted(FEMININE))
def test_the_word_for_a_state_agrees_with_its_noun(language: str) -> None:
    wrong, agree = [], 0
    with translation.override(language):
        for entry in RESOURCES.values():
            for state, (label, _tone) in entry.states.items():
                word = re.split(r"[ ,·]", str(label))[0]
                ending = re.fullmatch(rf"\w*?{PARTICIPLE[language]}", word)
                if ending is None or {(entry.noun, state), (entry.noun, "")} & OF_ANOTHER:
                    continue
                told = (ending[1] in {"a", "e"}, bool(ending[2]))
                if told != (entry.noun in FEMININE[language].split(), entry.noun in PLURAL):
                    wrong.append(f"{entry.label} ({entry.noun}): {label} ({state})")
                else:
                    agree += 1
    assert wrong == []
    assert agree > 90
