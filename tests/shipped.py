"""Sections of the shipped params.yaml, as code takes them."""

from pathlib import Path
from typing import Any

from pipeline.core.params import check_section, read_params
from pipeline.settings import SECTIONS

PARAMS = Path(__file__).parents[1] / "params.yaml"


def shipped(name: str, **changed: Any) -> Any:
    """A section of params.yaml; keywords change it."""
    values = read_params(PARAMS)
    values[name].update(changed)
    return check_section(PARAMS, name, SECTIONS[name], values)
