"""Where a published model is: in a folder, on the Hugging Face hub, or in the hub's cache here.

Libraries ask the hub first and retry for minutes; here a user without a network is told at once.
"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pipeline.core.errors import InputError

CONFIGURATIONS = ("config.json", "modules.json")
"""Every model of the hub that transformers or sentence-transformers load has one of them; those
that are made of modules have the second, whatever these are."""
HUB_TIMEOUT = 10
"""Seconds to wait for the hub's first answer."""


def locate_published(
    name: str, files: Sequence[str], *, what: str, instead: str, ask: bool = True
) -> str:
    """Find out where a model is.

    Args:
        name: A folder, or a name on the Hugging Face hub.
        files: Of which a model of the hub has one, as its cache here then does.
        what: What the name is for, in messages.
        instead: What the user may name instead.
        ask: Whether to make sure that the hub knows the name.

    Returns:
        A folder, or the name.

    Raises:
        InputError: There is no such folder, or the hub cannot be asked or has no such model.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return str(folder)
    if is_path(name):
        raise InputError(f"{what}: there is no such folder")
    if ask:
        check_hub(name, files, what=what, instead=instead)
    return name


def is_path(name: str) -> bool:
    """Whether a name can only be that of a folder."""
    return name.startswith((".", "/", "~")) or name.count("/") > 1


def cached_folder(name: str, files: Sequence[str]) -> Path | None:
    """Folder of a hub's model in the hub's cache here; None where there is none of the files."""
    # Takes a moment to import, which other models need not wait for.
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    with suppress(HFValidationError):  # no name at all, which is told where it is loaded
        for file in files:
            found = try_to_load_from_cache(name, file)
            if isinstance(found, str):
                return Path(found).parent
    return None


def offline_copy(name: str, files: Sequence[str]) -> Path | None:
    """Folder of a hub's model in the hub's cache here, where the hub itself cannot be asked.

    By the model's name a library would ask for every file that the model may have and has not.
    """
    from huggingface_hub import HfApi

    folder = cached_folder(name, files)
    if folder is not None:
        # Without a network: the errors of whichever HTTP library the hub's client uses.
        with suppress(Exception):
            HfApi().model_info(name, timeout=HUB_TIMEOUT)
            return None
    return folder


def check_hub(name: str, files: Sequence[str], *, what: str, instead: str) -> None:
    """Ask the Hugging Face hub for a model, unless a file of it is in the hub's cache here.

    Args:
        name: The model's.
        files: Of which it has one.
        what: What the name is for, in messages.
        instead: What the user may name instead.

    Raises:
        InputError: The hub cannot be reached or has no such model.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

    if cached_folder(name, files) is not None:
        return
    try:
        HfApi().model_info(name, timeout=HUB_TIMEOUT)
    except (HFValidationError, RepositoryNotFoundError) as error:
        raise InputError(f"{what}: neither a folder nor a model of the Hugging Face hub") from error
    # Without a network: the errors of whichever HTTP library the hub's client uses.
    except Exception as error:
        raise InputError(
            f"{what}: no such folder, and the Hugging Face hub cannot be reached "
            f"({type(error).__name__}); go online once, or name a local folder or {instead}"
        ) from error
