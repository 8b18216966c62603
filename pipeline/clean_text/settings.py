"""Section `clean_text` of params.yaml."""

from typing import Annotated, Any

from pydantic import Field, PlainValidator

from pipeline.clean_text.recipes import RECIPES
from pipeline.clean_text.steps import STEPS
from pipeline.core.section import Section


def _check_recipe(value: Any) -> str | list[str]:
    # One message; a union of types would give one per type.
    if value in RECIPES if isinstance(value, str) else value and _is_list_of_steps(value):
        return value
    raise ValueError(f"allowed are {', '.join(RECIPES)}, or a list of the steps {', '.join(STEPS)}")


def _is_list_of_steps(value: Any) -> bool:
    # A list of the names: what cannot be hashed is a mistake too, and no error of Python's.
    return isinstance(value, list) and all(step in list(STEPS) for step in value)


class CleanTextSettings(Section):
    """How texts are cleaned."""

    recipe: Annotated[str | list[str], PlainValidator(_check_recipe)]
    """Named sequence of cleaning steps, or single steps in the order in which they are taken."""
    fold_accents: bool
    """Write accented letters in ASCII first, so that a recipe does not cut them out."""
    boilerplate: Annotated[float, Field(gt=0.0, le=1.0)]
    """Share of the products that those with a sentence exceed, in unlike classes, for it to be left
    out; 1: look for none."""
