"""All sections of params.yaml by name, for checks of the whole file.

A stage reads its own sections with `load_section`; this list serves the check that runs before
any stage starts, so that a mistake anywhere in the file is found before the first hour of work.
"""

from collections.abc import Iterator
from pathlib import Path

from pipeline.attributes.settings import AttributesSettings
from pipeline.audit.settings import AuditSettings
from pipeline.catalog.settings import CatalogSettings, SplitSettings
from pipeline.clean_text.settings import CleanTextSettings
from pipeline.core.errors import InputError
from pipeline.core.machine import MachineSettings
from pipeline.core.params import check_section, read_params
from pipeline.core.section import Section
from pipeline.decide.settings import ClassifySettings
from pipeline.evaluate.settings import EvaluateSettings
from pipeline.image_features.settings import ImageSettings
from pipeline.index.settings import IndexSettings
from pipeline.model.settings import ModelSettings
from pipeline.semantic_graph.settings import GraphSettings
from pipeline.text_features.settings import TextSettings
from pipeline.train.loss_settings import LossSettings
from pipeline.train.settings import TrainSettings

SECTIONS: dict[str, type[Section]] = {
    "catalog": CatalogSettings,
    "split": SplitSettings,
    "clean_text": CleanTextSettings,
    "image": ImageSettings,
    "text": TextSettings,
    "graph": GraphSettings,
    "model": ModelSettings,
    "loss": LossSettings,
    "train": TrainSettings,
    "evaluate": EvaluateSettings,
    "classify": ClassifySettings,
    "attributes": AttributesSettings,
    "audit": AuditSettings,
    "index": IndexSettings,
    "machine": MachineSettings,
}


def check_params(path: Path, *, every: bool = True) -> None:
    """Check every section of params.yaml.

    Args:
        path: params.yaml.
        every: Whether to check the sections of objectives that are not in use too, which imports
            torch.

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
            sections[name] = check_section(path, name, model, values, every=every)
        except InputError as error:
            mistakes += error.args
    mistakes += [f"{path}: {mistake}" for mistake in _do_not_go_together(sections)]
    if mistakes:
        raise InputError(*mistakes)


def _do_not_go_together(sections: dict[str, Section]) -> Iterator[str]:
    """Mistakes that only two sections together make."""
    loss, machine = sections.get("loss"), sections.get("machine")
    if (
        isinstance(loss, LossSettings)
        and isinstance(machine, MachineSettings)
        and machine.kernel == "reference"
        and loss.precision != "fp32"
    ):
        yield f"machine.kernel: reference has loss.precision fp32 only, got {loss.precision}"
    catalog, attributes = sections.get("catalog"), sections.get("attributes")
    if isinstance(catalog, CatalogSettings) and isinstance(attributes, AttributesSettings):
        kept = catalog.columns.keep
        for name in attributes.predict:
            if name not in kept:
                yield (
                    f"attributes.predict: {name} is not in catalog.columns.keep: "
                    f"[{', '.join(kept)}]; add it there"
                )
