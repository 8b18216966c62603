"""The network that made the features, as a file that goes with them and with the model.

New pictures are run by that very file: nothing is exported again, and torch is not loaded. That it
is the right one tells the digest of the folder, which the features note as `encoder_digest`.
"""

import shutil
from pathlib import Path

from typing_extensions import TypedDict

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json_as, write_json

FORMAT_VERSION = 1
"""Of docs/model_format.md; raised when a reader of the older format would go wrong."""

_DESCRIPTION, _NETWORK = "image_encoder.json", "network.onnx"


class _Described(TypedDict):
    network: str | None


def save_network(folder: Path, onnx_file: Path | None) -> None:
    """Write a folder with the network and a description of it, whole or not at all.

    Args:
        folder: Where to.
        onnx_file: What ran; None: it was torch, and the description says that there is no file.

    Raises:
        InputError: The folder cannot be written to.
    """
    network = None if onnx_file is None else _NETWORK
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        if onnx_file is not None:
            shutil.copyfile(onnx_file, temporary / _NETWORK)
        description = {"format_version": FORMAT_VERSION, "network": network}
        write_json(temporary / _DESCRIPTION, description)


def find_network(folder: Path) -> Path | None:
    """Find the network in a folder that `save_network` wrote and whose digest is the noted one.

    Returns:
        The ONNX file; None if torch ran the network.

    Raises:
        InputError: The description is missing, or of another version.
    """
    path = folder / _DESCRIPTION
    name = read_json_as(path, _Described, "train again", version=FORMAT_VERSION)["network"]
    if name is None:
        return None
    # A model may have been downloaded: no file elsewhere is opened for it.
    if Path(name).name != name:
        raise InputError(f"{path}: {name!r} is no name of a file beside it; train again")
    return folder / name
