"""How much a run asks: the gate before a commit, `--wide` before it lands, `--thorough` before a release (decision 0020)."""

from enum import IntEnum

import pytest


class Depth(IntEnum):
    GATE, WIDE, THOROUGH = range(3)


# Whom the gate asks of the demo world's nine: a coordinator who sees records of every kind, a stranger at another institution.
FEW = ("bia", "dora")
ONE = "bia"


def depth_of(config: pytest.Config) -> Depth:
    return Depth.THOROUGH if config.getoption("thorough") else Depth.WIDE if config.getoption("wide") else Depth.GATE
