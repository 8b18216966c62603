"""Parts that are registered by lying in a folder: the name of the file is the name of the part."""

import importlib
import pkgutil
from types import ModuleType
from typing import Any

from pydantic import create_model

from pipeline.core.section import Section


def plugin_names(folder: ModuleType) -> tuple[str, ...]:
    """List the files of a package, sorted; none is imported."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(folder.__path__)))


def import_plugin(folder: ModuleType, name: str) -> Any:
    """Import a file of a package by one of its `plugin_names`."""
    return importlib.import_module(f"{folder.__name__}.{name}")


def plugin_sections(folder: ModuleType) -> Any:
    """Make a base of sections that has a section for each file of a package with `Settings`.

    All files are imported.
    """
    modules = {name: import_plugin(folder, name) for name in plugin_names(folder)}
    sections = {name: m.Settings for name, m in modules.items() if hasattr(m, "Settings")}
    return create_model("Sections", __base__=Section, **sections)
