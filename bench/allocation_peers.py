"""A peer on one problem; runs in the peers' own environment, with the standard library alone beside the peer.

    python bench/allocation_peers.py algmatch|matching PROBLEM.json

PROBLEM.json: {"residents": [[hospital, …], …], "hospitals": [[resident, …], …], "capacities": [n, …]}, best first.
Prints JSON: processor seconds to build its objects and to solve, and what each resident got (−1: nothing).
"""

import json
import sys
from time import process_time
from typing import Any


def algmatch(problem: dict[str, Any]) -> tuple[float, float, list[int]]:
    from algmatch import HospitalResidentsProblem  # type: ignore[import-not-found]  # -- in the peers' environment

    began = process_time()
    hospitals = {
        number + 1: {"capacity": capacity, "preferences": [each + 1 for each in listed]}
        for number, (capacity, listed) in enumerate(zip(problem["capacities"], problem["hospitals"], strict=True))
    }
    residents = {number + 1: [each + 1 for each in listed] for number, listed in enumerate(problem["residents"])}
    game = HospitalResidentsProblem(dictionary={"residents": residents, "hospitals": hospitals})
    built = process_time()
    found = game.get_stable_matching()["resident_sided"]
    solved = process_time()
    got = [int(str(found[f"r{number + 1}"] or "h0")[1:]) - 1 for number in range(len(residents))]
    return built - began, solved - built, got


def matching(problem: dict[str, Any]) -> tuple[float, float, list[int]]:
    from matching.games import HospitalResident  # type: ignore[import-not-found]  # -- likewise

    began = process_time()
    asked = {number for listed in problem["residents"] for number in listed}
    residents = {f"r{number}": [f"h{each}" for each in listed] for number, listed in enumerate(problem["residents"])}
    hospitals = {f"h{number}": [f"r{each}" for each in problem["hospitals"][number]] for number in sorted(asked)}
    capacities = {f"h{number}": problem["capacities"][number] for number in sorted(asked)}
    game = HospitalResident.create_from_dictionaries(residents, hospitals, capacities)
    built = process_time()
    found = game.solve(optimal="resident")
    solved = process_time()
    got = [-1] * len(residents)
    for hospital, inside in found.items():
        for resident in inside:
            got[int(resident.name[1:])] = int(hospital.name[1:])
    return built - began, solved - built, got


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        facts = json.load(file)
    try:
        answer: dict[str, Any] = dict(zip(("build", "solve", "got"), {"algmatch": algmatch, "matching": matching}[sys.argv[1]](facts), strict=True))
    except RecursionError as error:
        answer = {"failed": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))
