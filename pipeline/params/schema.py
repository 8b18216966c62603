"""All sections of params.yaml by name, for checks of the whole file.

A stage reads its own sections with `load_section`; this list serves the check that runs before
any stage starts, so that a mistake anywhere in the file is found before the first hour of work.
"""

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
    for name, model in SECTIONS.items():
        try:
            check_section(path, name, model, values)
        except InputError as error:
            mistakes.append(str(error))
    if mistakes:
        raise InputError("\n".join(mistakes))
