"""All sections of params.yaml by name, for checks of the whole file.

A stage reads its own sections with `load_section`; this list serves the check that runs before
any stage starts, so that a mistake anywhere in the file is found before the first hour of work.
"""

from collections.abc import Iterator
from pathlib import Path

from pipeline.catalog.settings import CatalogParams
from pipeline.catalog.split_settings import SplitParams
from pipeline.clean_text.settings import CleanTextParams
from pipeline.core.errors import InputError
from pipeline.core.machine import MachineParams
from pipeline.core.params import check_section, read_params
from pipeline.core.section import Section
from pipeline.evaluate.settings import EvaluateParams
from pipeline.image_features.settings import ImageParams
from pipeline.index.settings import IndexParams
from pipeline.model.settings import ModelParams
from pipeline.semantic_graph.settings import GraphParams
from pipeline.text_features.settings import TextParams
from pipeline.train.loss_settings import LossParams
from pipeline.train.settings import TrainParams

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
