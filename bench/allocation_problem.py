"""A synthetic call for seats: seeded, by columns, as arrays or as the four CSV files.

About ten choices a student, forty students an offering, Zipf popularity (half of the choices from the student's own
region), twenty priority bands from a general merit and luck, three overlapping groups with reserved seats, seats for
four students of five.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

BANDS, REGIONS = 20, 8
GROUPS = {"first-generation": 0.35, "rural": 0.20, "disability": 0.10}


@dataclass(frozen=True)
class Drawn:
    """Applications by student, most wanted first; `groups` are bits, `reserves` seats by offering and group."""

    starts: Any
    targets: Any
    bands: Any
    capacities: Any
    wanted: Any
    groups: Any
    reserves: Any

    @property
    def students(self) -> int:
        return len(self.starts) - 1

    @property
    def applications(self) -> int:
        return len(self.targets)


def draw(applications: int, *, wanted: int = 1, seed: int = 1) -> Drawn:
    """A problem of about so many applications."""
    rng = np.random.default_rng(seed)
    students = max(10, applications // 10)
    offerings = max(REGIONS, students // 40)
    lengths = rng.integers(6, 15, students)
    owner = np.repeat(np.arange(students), lengths)
    popularity = np.cumsum(rng.permutation(1 / np.arange(1, offerings + 1) ** 0.8))
    targets = np.searchsorted(popularity / popularity[-1], rng.random(len(owner)))
    region, block = rng.integers(0, REGIONS, students)[owner], offerings // REGIONS
    local = rng.random(len(owner)) < 0.5
    targets[local] = region[local] * block + targets[local] % block
    _, first = np.unique(owner * offerings + targets, return_index=True)
    first.sort()  # the first of each (student, offering), in the order of her list
    owner, targets = owner[first], targets[first].astype(np.int32)
    starts = np.zeros(students + 1, np.int64)
    np.cumsum(np.bincount(owner, minlength=students), out=starts[1:])
    weight = rng.gamma(4.0, 1.0, offerings)
    capacities = np.maximum(1, weight / weight.sum() * students * wanted / 1.25).astype(np.int32)
    score = rng.normal(0, 1, students)[owner] + rng.normal(0, 0.7, len(owner))
    edges = np.quantile(score[:200_000], np.linspace(0, 1, BANDS + 1)[1:-1])
    bands = BANDS - np.digitize(score, edges)
    groups, reserves = np.zeros(students, np.int64), np.zeros((offerings, len(GROUPS)), np.int32)
    for bit, share in enumerate(GROUPS.values()):
        groups |= (rng.random(students) < share).astype(np.int64) << bit
        reserves[:, bit] = capacities * share * 0.8
    return Drawn(starts, targets, bands.astype(np.int64), capacities, np.full(students, wanted, np.int32), groups, reserves)


def write(drawn: Drawn, folder: Path) -> None:
    """The four files."""
    import pyarrow as pa
    from pyarrow import csv

    folder.mkdir(parents=True, exist_ok=True)
    students = np.char.add("s", np.char.zfill(np.arange(drawn.students).astype(str), 8))
    offerings = np.char.add("o", np.char.zfill(np.arange(len(drawn.capacities)).astype(str), 6))
    kinds = np.array(["|".join(name for bit, name in enumerate(GROUPS) if kind >> bit & 1) for kind in range(1 << len(GROUPS))])
    length = np.diff(drawn.starts)
    rows, columns = np.nonzero(drawn.reserves)
    files = {
        "offerings.csv": {"offering_id": offerings, "capacity": drawn.capacities},
        "students.csv": {"student_id": students, "seats_wanted": drawn.wanted, "groups": kinds[drawn.groups]},
        "choices.csv": {
            "student_id": pa.array(students).take(pa.array(np.repeat(np.arange(drawn.students), length))),
            "rank": np.arange(drawn.applications) - np.repeat(drawn.starts[:-1], length) + 1,
            "offering_id": pa.array(offerings).take(pa.array(drawn.targets)),
            "priority": drawn.bands,
        },
        "reserves.csv": {
            "offering_id": offerings[rows],
            "group": np.array(list(GROUPS))[columns],
            "seats": drawn.reserves[rows, columns],
        },
    }
    for name, content in files.items():
        csv.write_csv(pa.table(content), folder / name, csv.WriteOptions(quoting_style="none"))
