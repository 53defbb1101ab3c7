"""The lottery can be repeated by anybody, and steered by nobody."""

import hashlib
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsm.exchange.allocation import lottery

numbers = st.integers(0, lottery.SCALE - 1)


def test_a_number_can_be_checked_with_any_tool_that_computes_an_hmac() -> None:
    # printf ana | openssl dgst -sha256 -hmac corn
    printed = "59ef220c29e6b84fcf2805e4d45e08eff4732356d5358e2f4163589e59b10a57"

    assert lottery.number("corn", "ana") == int(printed, 16) // 2 ** (256 - 53)


def test_another_seed_or_another_student_draws_another_number() -> None:
    drawn = {lottery.number(seed, student) for seed in ("corn", "rice") for student in ("ana", "bia", "ánà")}

    assert len(drawn) == 6


def test_numbers_spread_evenly() -> None:
    drawn = [lottery.number("corn", f"student {each}") / lottery.SCALE for each in range(10_000)]
    tenths = [sum(each / 10 <= number < (each + 1) / 10 for number in drawn) for each in range(10)]

    assert abs(fmean(drawn) - 0.5) < 0.01
    assert all(850 < count < 1150 for count in tenths)


def test_a_commitment_is_met_by_its_seed_alone() -> None:
    published = lottery.commitment("corn")

    assert published == hashlib.sha256(b"corn").hexdigest()
    assert lottery.reveals("corn", f" {published.upper()}\n")
    assert not lottery.reveals("rice", published)
    assert not lottery.reveals("corn", "not a digest: ñ")


def test_a_joint_seed_depends_on_every_part_and_whose_it_is() -> None:
    joint = lottery.joint_seed({"lima": "maize", "porto": "rice"})

    assert joint == lottery.joint_seed({"porto": "rice", "lima": "maize"})
    assert joint != lottery.joint_seed({"lima": "rice", "porto": "maize"})
    assert joint != lottery.joint_seed({"lima": "maize"})


def test_a_joint_seed_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        lottery.joint_seed({})


def test_a_number_is_shown_with_two_digits_cut_off() -> None:
    assert lottery.shown(0) == "0.00"
    assert lottery.shown(lottery.SCALE // 2) == "0.50"
    assert lottery.shown(lottery.SCALE - 1) == "0.99"


@given(numbers, numbers)
def test_of_two_numbers_shown_together_the_lower_reads_lower(one: int, other: int) -> None:
    shown = lottery.shown(one, other), lottery.shown(other, one)

    assert len(shown[0]) == len(shown[1])
    assert (shown[0] < shown[1]) == (one < other)
