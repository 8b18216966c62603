"""The model that answers, and how another takes its place while requests come.

A request belongs to the model that was there when it came. The new one is read, and has answered
questions of every kind, before any request sees it.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from pipeline.core.allocator import give_back_freed_memory
from pipeline.core.errors import InputError
from pipeline.decide.settings import ClassifySettings
from pipeline.serve.questions import Asked, Classify, Embed, Item, Question, Search, answer_together
from pipeline.use.api import Huse


@dataclass(frozen=True)
class Loaded:
    """A model that is ready."""

    huse: Huse
    digest: str
    """SHA-256 of its weights."""
    items: int
    """Of its index."""
    since: int
    """When it was ready, in seconds of the epoch."""

    @property
    def name(self) -> str:
        """What a client calls this very model."""
        return f"huse-{self.digest[:12]}"


def load_checked(
    model: Path, index: Path, settings: ClassifySettings, warn: Callable[[str], None]
) -> Loaded:
    """Read a model and its index as a whole, and let it answer.

    Nothing is left to be read later, when the files may be another model's.

    Raises:
        InputError: A file is missing or damaged, or they do not belong together.
    """
    huse = Huse.load(model, index, warn=warn)
    picture = BytesIO()
    Image.radial_gradient("L").convert("RGB").save(picture, "PNG")
    text = next((one for one in huse.index.items["text"] if one), "picture")
    parts = picture.getvalue(), text
    items = [Item(*parts), Item(parts[0], None), Item(None, text)]
    questions: tuple[Question, ...] = (Search(1), Classify(settings, 1), Embed())
    # Together and alone: each reads something of its own.
    for part in (items, *([item] for item in items)):
        for answer in answer_together([Asked(huse, question, part) for question in questions]):
            if isinstance(answer, Exception):
                raise InputError(f"{model}: does not answer ({answer})") from answer
    return Loaded(huse, huse.description.digest, len(huse.index), int(time.time()))


class Current:
    """Holds the model that answers."""

    def __init__(self, load: Callable[[], Loaded]) -> None:
        """Read the first one.

        Raises:
            InputError: It cannot be used.
        """
        self._load = load
        self.loaded = load()

    def reload(self) -> Loaded:
        """Read the model again and let it answer from now on.

        It takes seconds; every time in the same thread, or the memory of earlier models is left
        with each thread that read one.

        Returns:
            The new one.

        Raises:
            InputError: It cannot be used; the one before goes on.
        """
        try:
            self.loaded = self._load()
        except InputError:
            raise
        except Exception as error:
            # Whatever a half-written file makes libraries raise, the one before goes on.
            reason = " ".join(str(error).split())[:300]
            raise InputError(f"{type(error).__name__}: {reason}") from error
        finally:
            gc.collect()
            give_back_freed_memory()
        return self.loaded
