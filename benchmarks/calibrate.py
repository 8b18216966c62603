"""Time and peak memory of what looks at validation items: the final fusion, and one validation.

    python -m benchmarks.calibrate
    python -m benchmarks.calibrate --items 45000 --classes 5000

Features are made up and short, and the towers small: what grows is items x classes. With several
labels the classifier's outputs are labels, and a class path has three of them.

Shape letters: N items, K classes, L labels, F features.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.harness import environment, peak_extra_mib, write_results
from pipeline.core.sample import draw_sample
from pipeline.features.pairs import Pairs
from pipeline.model.towers import Towers, TowersConfig
from pipeline.train.calibrate import calibrate
from pipeline.train.validate import MAX_ITEMS, validate

FEATURES = 16
DIM = 32
PATHS = 1000
LABELS_OF_A_PATH = 3
CASES = {
    "product": ("product", False),
    "late": ("late", False),
    "concat": ("concat", False),
    "product, several labels": ("product", True),
    "late, several labels": ("late", True),
}


def make_items(count: int, classes: int, *, several: bool) -> tuple[Pairs, Tensor | None]:
    """Noisy points around the classes, and the labels of every class where it has several."""
    generator = torch.Generator().manual_seed(0)
    paths = PATHS if several else classes
    label_N = torch.randint(paths, (count,), generator=generator)
    centre_KF = torch.randn(paths, FEATURES, generator=generator)
    image_NF, text_NF = (
        centre_KF[label_N] + torch.randn(count, FEATURES, generator=generator) for _ in range(2)
    )
    number_N = np.arange(count)
    shared_N3 = torch.from_numpy(number_N)[:, None].expand(-1, 3)
    pairs = Pairs(number_N, image_NF, text_NF, label_N, np.full(count, "val"), shared_N3)
    if not several:
        return pairs, None
    membership_KL = torch.zeros(paths, classes)
    label_KS = torch.randint(classes, (paths, LABELS_OF_A_PATH), generator=generator)
    return pairs, membership_KL.scatter_(1, label_KS, 1.0)


def build(what: str, case: str, count: int, classes: int) -> Callable[[], object]:
    """Make the inputs; returns the call to measure."""
    rule, several = CASES[case]
    pairs, membership_KL = make_items(count, classes, several=several)
    torch.manual_seed(0)
    model = Towers(
        TowersConfig(
            image_features=FEATURES,
            text_features=FEATURES,
            num_classes=classes,
            dim=DIM,
            image_layers=2,
            text_layers=2,
            width=DIM,
            dropout=0.0,
            logit_scale="learned",
            classifier="shared",
            fusion=rule,
        )
    ).eval()
    model.standardise(pairs.image_NI, pairs.text_NT)
    if what == "fusion":
        return lambda: calibrate(model, pairs, membership_KL, seed=0)
    watched = pairs.take(draw_sample(count, MAX_ITEMS, seed=0))
    return lambda: validate(model, watched, membership_KL)


def measure(what: str, case: str, count: int, classes: int) -> dict[str, Any]:
    """One row of the table."""
    run = build(what, case, count, classes)
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    return {
        "what": what,
        "fusion": case,
        "items": count,
        "classes": classes,
        "seconds": seconds,
        "peak_mib": peak_extra_mib(build, what, case, count, classes),
    }


def main() -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=260_000)
    parser.add_argument("--classes", type=int, default=20_000)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    setting = environment()
    rows = []
    for what in ("fusion", "validation"):
        for case in options.cases:
            rows.append(measure(what, case, options.items, options.classes))
            print(rows[-1], flush=True)
    write_results(
        options.out / f"calibrate_cpu_{options.threads}_threads",
        title="Fusion and validation of many items and classes",
        notes=[
            "made-up features of length 16, towers of width 32: what grows is items x classes",
            f"fusion: fitted on a sample of as many logits as are allowed; validation: a sample of "
            f"{MAX_ITEMS} items",
            "peak memory: beyond what is in use before, in a fresh process; wall time of one call",
            f"{setting['cpu']}, {setting['threads']} threads, load average at the start "
            f"{setting['load_average'][0]}",
        ],
        columns={
            "what": "what",
            "fusion": "model.fusion",
            "items": "items",
            "classes": "classes or labels",
            "seconds": "s",
            "peak_mib": "peak MiB",
        },
        rows=rows,
        environment=setting,
    )


if __name__ == "__main__":
    main()
