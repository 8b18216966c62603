"""What a trained model keeps so that classes can be added to it, on disk; read without torch."""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.model.description import DIGEST, damaged
from pipeline.model.new_class import NewClassRule

FILE = "new_classes.safetensors"
"""In a model's folder."""


def write_new_class_rule(folder: Path, rule: NewClassRule, digest: str) -> None:
    """Write it beside the model's weights, whose digest it names.

    Raises:
        InputError: The folder cannot be written to.
    """
    arrays = {"image": rule.image_KD, "text": rule.text_KD, "weight": rule.weight_3SE}
    with atomic_path(folder / FILE) as temporary:
        temporary.write_bytes(save(arrays, {DIGEST: digest}))


def read_new_class_rule(folder: Path, digest: str) -> NewClassRule:
    """Read what `write_new_class_rule` wrote.

    Args:
        folder: Of the model.
        digest: Of the model's weights.

    Raises:
        InputError: The file is missing, as in a model of an earlier version, damaged or of another
            model.
    """
    path = folder / FILE
    if not path.is_file():
        raise InputError(f"{path}: not found, so no class can be added; train again")
    try:
        with safe_open(path, "np") as file:
            noted = (file.metadata() or {}).get(DIGEST)
            found = NewClassRule(*(file.get_tensor(name) for name in ("image", "text", "weight")))
    except (OSError, SafetensorError) as error:
        raise damaged(folder, error) from error
    if noted != digest:
        raise InputError(f"{path}: of another model than the weights beside it; train again")
    return found
