"""How much longer training takes while somebody else keeps one core busy.

    python -m benchmarks.neighbour --rounds 5

Every case is a process of its own: some training steps, their threads waiting for each other as the
program chooses (see `wait_briefly`) or as the library does by itself, with or without another
process that never sleeps. The four cases of a round run one after the other, and the ratios are of
the same round.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.harness import environment, median_ratio, write_results

STEPS = """
import json, sys, time
if sys.argv[1] == "chosen":
    from stages.command import wait_briefly
    wait_briefly()
from benchmarks.train_step import whole_step
step = whole_step(int(sys.argv[2]), "cpu", "fp32")
for _ in range(5):
    step()
start = time.perf_counter()
for _ in range(int(sys.argv[3])):
    step()
print(json.dumps(time.perf_counter() - start))
"""
WAYS = {"library": "as the library does", "chosen": "as the program chooses"}


def main(
    batch: Annotated[int, typer.Option(min=1, help="Items of a step.")] = 256,
    steps: Annotated[int, typer.Option(min=1, help="Steps that are timed.")] = 100,
    rounds: Annotated[int, typer.Option(min=1, help="How often each case is run.")] = 5,
    out: Annotated[Path, typer.Option(help="Where to write the results, without a suffix.")] = Path(
        "benchmarks/results/neighbour_cpu"
    ),
) -> None:
    """Train with and without a neighbour, again and again."""
    setting = environment()
    cases = [(way, busy) for way in WAYS for busy in (False, True)]
    seconds: dict[tuple[str, bool], list[float]] = {case: [] for case in cases}
    for _ in range(rounds):
        for way, busy in cases:
            with neighbour(busy=busy):
                seconds[way, busy].append(train(way, batch, steps))
    rows = [
        {
            "waiting": said,
            "quiet_ms": 1000 * statistics.median(seconds[way, False]) / steps,
            "busy_ms": 1000 * statistics.median(seconds[way, True]) / steps,
            "slower": median_ratio(seconds[way, True], seconds[way, False]),
            "cost": median_ratio(seconds[way, False], seconds["library", False]),
        }
        for way, said in WAYS.items()
    ]
    write_results(
        out,
        title="Training beside a busy neighbour",
        notes=[
            f"`python -m benchmarks.neighbour`; {steps} steps of {batch} items in a fresh process; "
            f"medians of {rounds}, ratios are medians of rounds",
            f"{setting['cpu']}, {setting['threads']} threads; the neighbour is one endless loop",
        ],
        columns={
            "waiting": "threads wait",
            "quiet_ms": "step alone, ms",
            "busy_ms": "step beside a neighbour, ms",
            "slower": "slower beside it",
            "cost": "alone, x the library's",
        },
        rows=rows,
        environment=setting,
    )
    typer.echo(out.with_suffix(".md").read_text(encoding="utf-8"))


@contextmanager
def neighbour(*, busy: bool) -> Iterator[None]:
    """Keep a core busy, or do nothing."""
    if not busy:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def train(way: str, batch: int, steps: int) -> float:
    """Take training steps in a process of its own: wall seconds."""
    unsaid = {
        name: value
        for name, value in os.environ.items()
        if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    }
    done = subprocess.run(
        [sys.executable, "-c", STEPS, way, str(batch), str(steps)],
        check=True,
        capture_output=True,
        text=True,
        env=unsaid,
    )
    return json.loads(done.stdout)


if __name__ == "__main__":
    typer.run(main)
