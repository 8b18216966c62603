"""Section `loss` of params.yaml: what objectives share, and under its name what one has alone.

A file in `objectives/` is an objective; its `Settings`, if there are any, are the section
`loss.<name of the file>`.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, ValidationInfo, create_model
from pydantic_core import PydanticCustomError

from pipeline.core.section import Section
from pipeline.train import objectives

Weight = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]

Margin = Annotated[float, Field(gt=0.0, le=2.0)]

Relaxation = Literal["none", "paper", "hinge"]
"""Which pairs count: all (HUSE eq. 9), those of eq. 10-11, or the sentence above eq. 10."""

Precision = Literal["fp32", "bf16"]
"""Type of the operands of matrix products; everything else is float32 or wider."""

OBJECTIVES = tuple(sorted(found.name for found in pkgutil.iter_modules(objectives.__path__)))
"""Values of loss.objective; to know them, no objective is imported, and so torch neither."""


def objective_module(name: str) -> ModuleType:
    """Import the file of an objective."""
    return importlib.import_module(f"{objectives.__name__}.{name}")


class LossSettings(Section):
    """What is minimised: HUSE section 3, and a contrast over class paths with weight delta."""

    moved: ClassVar[Mapping[str, str]] = {
        "kernel": "machine.kernel",
        "triplet_margin": "loss.triplet.margin",
        "cme_margin": "loss.cme.margin",
        "adamine_margin": "loss.adamine.margin",
        "adamine_class_weight": "loss.adamine.class_weight",
    }
    objective: str
    """The training objective."""
    alpha: Weight
    """Weight of the classification loss."""
    beta: Weight
    """Weight of the semantic graph loss; of the rivals' projection or pair loss."""
    gamma: Weight
    """Weight of the cross-modal gap loss."""
    delta: Weight
    """Weight of the contrast over class paths; 0 in the paper."""
    temperature: Annotated[float, Field(ge=0.01, le=1.0)]
    """Similarities are divided by it in the contrast over class paths."""
    margin: Margin
    """zeta: pairs count in the graph loss where both distances are below it."""
    names: Weight
    """Weight of the classification of class names beside that of items."""
    joint: Weight
    """Weight of the classification by both modalities' logits together."""
    logit_adjustment: Weight
    """How much rare classes are favoured in training; 0: not at all."""
    relaxation: Relaxation
    """Which pairs the graph loss keeps: eq. 9, eq. 10-11, or the sentence above eq. 10."""
    precision: Precision
    """Of the graph loss's matrix products."""

    @classmethod
    def section_under(cls, key: str) -> type[Section] | None:
        """The section of an objective, which is imported for that."""
        return getattr(objective_module(key), "Settings", None) if key in OBJECTIVES else None


def _own_section(value: Any, info: ValidationInfo) -> Any:
    """Check an objective's section: that of the one in use, and with context `every` all others.

    Importing an objective imports torch, which takes seconds that a command may not want to take.
    """
    name = str(info.field_name)
    in_use = name == info.data.get("objective") and value is not None
    if not in_use and not (info.context or {}).get("every"):
        return value
    settings = LossSettings.section_under(name)
    if settings is None and value is not None:
        raise PydanticCustomError("own", "this objective has no settings of its own")
    if settings is not None and value is None:
        raise PydanticCustomError("missing", "missing")
    return settings and settings.model_validate(value)


if not TYPE_CHECKING:
    # For the reader and the type checker LossSettings is the class above; at run time it has a
    # field for each objective besides.
    LossSettings = create_model(
        "LossSettings",
        __base__=LossSettings,
        objective=(Literal[OBJECTIVES], Field(description="The training objective.")),
        **{
            name: (
                Annotated[Any, PlainValidator(_own_section), Field(validate_default=True)],
                Field(None, description=f"What objective {name} has alone."),
            )
            for name in OBJECTIVES
        },
    )
