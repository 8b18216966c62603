"""All sections of params.yaml by name, for checks of the whole file.

A stage reads its own sections with `load_section`; this list serves the check that runs before
any stage starts, so that a mistake anywhere in the file is found before the first hour of work.
"""

from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import InputError
from pipeline.params.catalog import CatalogParams
from pipeline.params.clean_text import CleanTextParams
from pipeline.params.evaluate import EvaluateParams
from pipeline.params.graph import GraphParams
from pipeline.params.image import ImageParams
from pipeline.params.index import IndexParams
from pipeline.params.load import check_section, read_params
from pipeline.params.loss import LossParams
from pipeline.params.machine import MachineParams
from pipeline.params.model import ModelParams
from pipeline.params.section import Section
from pipeline.params.split import SplitParams
from pipeline.params.text import TextParams
from pipeline.params.train import TrainParams

SECTIONS: dict[str, type[Section]] = {
    "catalog": CatalogParams,
    "split": SplitParams,
    "clean_text": CleanTextParams,
    "image": ImageParams,
    "text": TextParams,
    "graph": GraphParams,
    "model": ModelParams,
    "loss": LossParams,
    "train": TrainParams,
    "evaluate": EvaluateParams,
    "index": IndexParams,
    "machine": MachineParams,
}


def check_params(path: Path) -> None:
    """Check every section of params.yaml.

    Args:
        path: params.yaml.

    Raises:
        InputError: Lists every mistake in the file, one line each.
    """
    values = read_params(path)
    mistakes = [
        f"{path}: {name}: unknown section; known: {', '.join(SECTIONS)}"
        for name in values
        if name not in SECTIONS
    ]
    sections = {}
    for name, model in SECTIONS.items():
        try:
            sections[name] = check_section(path, name, model, values)
        except InputError as error:
            mistakes.append(str(error))
    mistakes += [f"{path}: {mistake}" for mistake in _do_not_go_together(sections)]
    if mistakes:
        raise InputError("\n".join(mistakes))


def _do_not_go_together(sections: dict[str, Section]) -> Iterator[str]:
    """Mistakes that only two sections together make."""
    loss, machine = sections.get("loss"), sections.get("machine")
    if (
        isinstance(loss, LossParams)
        and isinstance(machine, MachineParams)
        and machine.kernel == "reference"
        and loss.precision != "fp32"
    ):
        yield f"machine.kernel: reference has loss.precision fp32 only, got {loss.precision}"
