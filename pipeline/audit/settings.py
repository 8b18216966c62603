"""Section `audit` of params.yaml."""

from typing import Annotated

from pydantic import Field

from pipeline.core.section import Section


class ItemsSettings(Section):
    """How misfiled items are looked for."""

    folds: Annotated[int, Field(ge=2, le=20)]
    """Parts of the products; each is judged by what was fitted on the others."""
    fit_items: Annotated[int, Field(ge=100)]
    """Most items that is fitted on; of larger classes some are left out first."""
    threshold: Annotated[float, Field(gt=0, lt=1)]
    """Least probability of being misfiled that an item is listed with."""
    least: Annotated[int, Field(ge=0)]
    """Items that are listed even if less probable, where another class fits them better."""
    most: Annotated[int, Field(ge=1)]
    """Most items that are listed."""
    evidence: Annotated[int, Field(ge=0, le=20)]
    """Nearest items of the suggested class that are named per listed item."""
    seed: int
    """Of the folds and of the labels that are made up for comparison."""


class PairsSettings(Section):
    """How pictures that are nearly the same are looked for."""

    neighbours: Annotated[int, Field(ge=0, le=100)]
    """Pictures nearest by features that each is compared with; 0: none is looked at."""


class AuditSettings(Section):
    """What is looked for in a catalogue, and how much of it is shown."""

    items: ItemsSettings
    """Items that look filed wrongly."""
    decisions: str
    """File of what people have decided; relative to the project or absolute."""
    pairs: PairsSettings
    """Items that are nearly the same."""
    shown: Annotated[int, Field(ge=1, le=200)]
    """Findings of a kind on the page; the files have all."""
