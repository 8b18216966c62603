"""Parts that are registered by lying in a folder: the name of the file is the name of the part."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any


def plugin_names(folder: ModuleType) -> tuple[str, ...]:
    """List the files of a package, sorted; none is imported."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(folder.__path__)))


def import_plugin(folder: ModuleType, name: str) -> Any:
    """Import a file of a package.

    Raises:
        ValueError: There is none of this name.
    """
    if name not in plugin_names(folder):
        kind = folder.__name__.rpartition(".")[2]
        raise ValueError(f"{kind}: unknown {name!r}; known: {', '.join(plugin_names(folder))}")
    return importlib.import_module(f"{folder.__name__}.{name}")
