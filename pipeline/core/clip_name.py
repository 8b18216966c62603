"""What open_clip's models are called, for pictures and for texts alike."""

from pathlib import Path
from typing import NamedTuple

from pipeline.core.errors import InputError
from pipeline.core.published_model import cached_folder, check_hub

CONFIGURATION = "open_clip_config.json"
"""The file of a published model that says what it is and how its pictures are made ready."""
WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
)
"""Of which it has one."""
HUB, FOLDER = "hf-hub:", "local-dir:"
"""open_clip's own prefixes."""


class ClipName(NamedTuple):
    """A model of open_clip, by its own functions' arguments."""

    model: str
    """An architecture, or a published model: HUB and its name there, or FOLDER and a path."""
    pretrained: str
    """Of an architecture: which of its weights, or a file; empty if not said."""

    @property
    def is_published(self) -> bool:
        """Whether architecture, weights and preprocessing come together."""
        return self.model.startswith((HUB, FOLDER))

    def check(self, what: str, instead: str) -> None:
        """Make sure that a published model is there, or that the hub has it.

        Args:
            what: What it is for, in messages.
            instead: What the user may name instead.

        Raises:
            InputError: There is no such folder or model, or the hub cannot be reached.
        """
        if self.model.startswith(HUB):
            check_hub(self.model.removeprefix(HUB), WEIGHTS, what=what, instead=instead)
        elif self.is_published and not (folder := self._local()).is_dir():
            raise InputError(f"{what}: there is no such folder")
        elif self.is_published and not (folder / CONFIGURATION).is_file():
            raise InputError(
                f"{what}: the folder has no {CONFIGURATION}; name one with all files of a model as "
                "open_clip publishes it"
            )

    def folder(self) -> Path | None:
        """Where a published model's files are on this machine; None if they are not, or not known.

        Of a hub's model that is in the hub's cache, that is what counts.
        """
        if self.model.startswith(HUB):
            return cached_folder(self.model.removeprefix(HUB), [CONFIGURATION])
        return self._local() if self.is_published else None

    def _local(self) -> Path:
        return Path(self.model.removeprefix(FOLDER))


def read_clip_name(name: str) -> ClipName:
    """Read a parameter.

    Args:
        name: `architecture/pretrained`, `hf-hub:owner/model`, or a folder, with or without
            `local-dir:` in front of it; perhaps with `open_clip/` in front of all.
    """
    name = name.removeprefix("open_clip/")
    if name.startswith(HUB):
        return ClipName(name, "")
    folder = Path(name.removeprefix(FOLDER)).expanduser()
    if name.startswith(FOLDER) or name.startswith((".", "/", "~")):
        return ClipName(f"{FOLDER}{folder}", "")
    if (folder / CONFIGURATION).is_file():
        return ClipName(f"{FOLDER}{folder}", "")
    model, _, pretrained = name.partition("/")
    return ClipName(model, pretrained)
