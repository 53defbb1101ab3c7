"""Allocation beside its peers: the solver alone, the audit alone, and the whole command from CSV to CSV.

    python -m bench.allocation [--sizes 1000,10000,100000,1000000] [--repeat 7] [--peers 100000] [--whole 1000000]

Peers (`requirements-peers.lock`) run in an environment of their own, `.venv-peers`, built when it is missing. They get the
same problem (one seat each, strict priorities) and must give the same answer. So must the limit (`allocation_limit.py`): the compiled
textbook without anything around it, which says how fast the machine is. Times of solvers are processor time, for a
shared machine disturbs it least: the least of `--repeat` runs. The audit looks for claims in two threads: its time is the clock's.
"""

import argparse
import hashlib
import heapq
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from bench.allocation_problem import Drawn, draw, write
from bench.machine import machine

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".venv-peers"
MOST_PLAIN = 2_000_000  # above, plain Python takes minutes and gigabytes


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.allocation", description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="1000,10000,100000,1000000", help="applications")
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--peers", type=int, default=100_000, help="largest size that the peers are given (0: no peers)")
    parser.add_argument("--whole", default="1000000", help="sizes for CSV to CSV")
    args = parser.parse_args(argv)
    sizes = [int(size) for size in args.sizes.split(",") if size]
    print(f"{machine()}; load {os.getloadavg()[0]:.1f}\n")
    print("| applications | seats each | ours ms | with reserves ms | audit ms | limit ms | ours ÷ limit | reserves ÷ limit | audit ÷ limit | one pass ms | heapq ms | heapq ÷ ours | algmatch ÷ ours | matching ÷ ours |")
    print("|" + "---|" * 14)
    for size in sizes:
        for wanted in (1, 3):
            print(_line(draw(size, wanted=wanted), wanted, args.repeat, size <= args.peers and wanted == 1), flush=True)
    print("\n| CSV to CSV | wall s | processor s | largest memory GB | audit wall s |\n|---|---|---|---|---|")
    for size in (int(each) for each in args.whole.split(",") if each):
        print(_whole(size), flush=True)
    return 0


def _line(drawn: Drawn, wanted: int, repeat: int, peers: bool) -> str:
    import bench.allocation_limit as limit_code
    from vsm.exchange.allocation.kernels import audit_code, cells, claims, machine_code

    code, check = machine_code(), audit_code()
    keys = _keys(drawn)
    plain = (drawn.starts, drawn.targets, keys, drawn.capacities, drawn.wanted)
    first, needs = cells(drawn.reserves)
    classes = np.repeat(drawn.groups.astype(np.uint8), np.diff(drawn.starts))
    granted = code.plain(*plain)
    reserved = (drawn.starts, drawn.targets, keys, classes, drawn.capacities, drawn.wanted, first, needs)
    with_reserves = code.reserved(*reserved)

    def audit() -> None:
        limit = check.thresholds(drawn.targets, keys, classes, with_reserves, drawn.capacities, first, needs)
        claimed = claims(drawn.starts, drawn.targets, keys, classes, with_reserves, first, limit, drawn.wanted)
        assert not claimed.any()

    def least() -> Any:
        return limit_code.granted(drawn.starts, drawn.targets, owners, keys, drawn.capacities, drawn.wanted)

    owners = np.repeat(np.arange(drawn.students, dtype=np.int32), np.diff(drawn.starts))
    assert (least() == granted).all()
    ours, with_them, audited = _least(lambda: code.plain(*plain), repeat), _least(lambda: code.reserved(*reserved), repeat), _least(audit, repeat, perf_counter)
    bare = _least(least, repeat)
    columns = [f"{drawn.applications:,}", str(wanted), *map(_ms, (ours, with_them, audited, bare)), *(f"{each / bare:.2f}×" for each in (ours, with_them, audited))]
    columns += [_ms(_least(lambda: keys.sum(), repeat))]
    if drawn.applications <= MOST_PLAIN:
        slow, got = _heapq(drawn, keys, min(repeat, 3 if drawn.applications > 10**5 else repeat))
        assert (got == granted).all()
        columns += [_ms(slow), f"{slow / ours:,.0f}×"]
    else:
        columns += ["", ""]
    columns += [_peer(name, drawn, keys, granted, ours) if peers else "" for name in ("algmatch", "matching")]
    return f"| {' | '.join(columns)} |"


def _keys(drawn: Drawn) -> Any:
    """Band, then a lottery: students stand in its order here."""
    owner = np.repeat(np.arange(drawn.students), np.diff(drawn.starts))
    from vsm.exchange.allocation.kernels import tight

    return tight((drawn.bands - 1) * drawn.students + owner)


def _least(work: Callable[[], object], repeat: int, clock: Callable[[], float] = process_time) -> float:
    work()
    times = []
    for _ in range(repeat):
        began = clock()
        work()
        times.append(clock() - began)
    return min(times)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.2f}"


def _heapq(drawn: Drawn, keys: Any, repeat: int) -> tuple[float, Any]:
    """What somebody would write in an afternoon: lists, dictionaries and heapq."""
    starts, targets, capacities = drawn.starts.tolist(), drawn.targets.tolist(), drawn.capacities.tolist()
    priority, wanted, students = keys.tolist(), drawn.wanted.tolist(), drawn.students

    def work() -> list[list[tuple[int, int]]]:
        inside: list[list[tuple[int, int]]] = [[] for _ in capacities]
        following, room = starts[:-1], list(wanted)
        for newcomer in range(students):
            asking = [newcomer]
            while asking:
                student = asking.pop()
                while room[student] and following[student] < starts[student + 1]:
                    application = following[student]
                    following[student] += 1
                    heap, key = inside[targets[application]], (-priority[application], application)
                    if len(heap) < capacities[targets[application]]:
                        heapq.heappush(heap, key)
                        room[student] -= 1
                    elif heap and key > heap[0]:
                        out = -heapq.heapreplace(heap, key)[0] % students
                        room[student] -= 1
                        room[out] += 1
                        asking.append(out)
        return inside

    granted = np.zeros(drawn.applications, np.uint8)
    for heap in work():
        granted[[application for _, application in heap]] = 1
    return _least(work, repeat), granted


def _peer(name: str, drawn: Drawn, keys: Any, granted: Any, ours: float) -> str:
    """How many times longer the peer takes to solve (its own reading of the problem apart)."""
    owner = np.repeat(np.arange(drawn.students), np.diff(drawn.starts))
    order = np.lexsort((keys, drawn.targets))
    at = np.searchsorted(drawn.targets[order], np.arange(len(drawn.capacities) + 1))
    ranked = owner[order].tolist()
    problem = {
        "residents": [drawn.targets[drawn.starts[s] : drawn.starts[s + 1]].tolist() for s in range(drawn.students)],
        "hospitals": [ranked[at[o] : at[o + 1]] for o in range(len(drawn.capacities))],
        "capacities": drawn.capacities.tolist(),
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(problem, file)
        file.flush()
        script = str(ROOT / "bench" / "allocation_peers.py")
        said = subprocess.run([_python(), script, name, file.name], capture_output=True, text=True, check=False)
    if said.returncode:
        return f"fails: {said.stderr.strip().splitlines()[-1][:60]}"
    answer = json.loads(said.stdout)
    if "failed" in answer:
        return f"fails ({answer['failed'].partition(':')[0]})"
    got = np.full(drawn.students, -1)
    got[owner[granted == 1]] = drawn.targets[granted == 1]
    assert answer["got"] == got.tolist(), f"{name} gives another answer"
    return f"{answer['solve'] / ours:,.0f}× (and {answer['build']:.1f} s to build)"


def _python() -> str:
    """The interpreter of the peers' environment, built from its lock when it is missing."""
    lock = ROOT / "requirements-peers.lock"
    stamp, wanted = PEERS / "built-from", hashlib.sha256(lock.read_bytes()).hexdigest()
    python = PEERS / "bin" / "python"
    if not stamp.exists() or stamp.read_text("utf-8") != wanted:
        print("Building .venv-peers from requirements-peers.lock (once)…", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(PEERS)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(lock)]
        subprocess.run(pip, check=True)
        stamp.write_text(wanted, "utf-8")
    return str(python)


def _whole(size: int) -> str:
    """The command as somebody would run it, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="vsm-bench-") as folder:
        problem, out = Path(folder) / "problem", Path(folder) / "out"
        write(draw(size), problem)
        solve = [sys.executable, "-m", "bench.measured", "solve", str(problem), "--out", str(out), "--seed", "7"]
        first = json.loads(subprocess.run(solve, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
        audit = [sys.executable, "-m", "bench.measured", "audit", str(out)]
        second = json.loads(subprocess.run(audit, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    return f"| {size:,} | {first['wall']:.1f} | {first['processor']:.1f} | {first['memory']:.2f} | {second['wall']:.1f} |"


if __name__ == "__main__":
    raise SystemExit(main())
