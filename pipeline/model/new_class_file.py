"""What a trained model keeps so that classes can be added to it, on disk; read without torch."""

from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.model.arrays_file import read_arrays, write_arrays
from pipeline.model.new_class import NewClassRule

FILE = "new_classes.safetensors"
"""In a model's folder."""
ARRAYS = ("image", "text", "name", "weight")
"""Names of the arrays, in the order of `NewClassRule`."""


def write_new_class_rule(folder: Path, rule: NewClassRule, digest: str) -> None:
    """Write it beside the model's weights, whose digest it names.

    Raises:
        InputError: The folder cannot be written to.
    """
    write_arrays(folder / FILE, dict(zip(ARRAYS, rule, strict=True)), digest)


def read_new_class_rule(folder: Path, digest: str) -> NewClassRule:
    """Read what `write_new_class_rule` wrote.

    Args:
        folder: Of the model.
        digest: Of the model's weights.

    Raises:
        InputError: The file is missing, as in a model of an earlier version, damaged or of another
            model.
    """
    arrays = read_arrays(folder / FILE, digest, ARRAYS)
    if arrays is None:
        raise InputError(f"{folder / FILE}: not found, so no class can be added; train again")
    return NewClassRule(*arrays.values())
