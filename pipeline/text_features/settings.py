"""Section `text` of params.yaml: the list of encoders, and a section for each."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipeline.core.plugins import plugin_names, plugin_sections
from pipeline.encoders import text

TEXT_ENCODERS = plugin_names(text)


def _without_repeats(encoders: list[str]) -> list[str]:
    if len(set(encoders)) < len(encoders):
        raise ValueError("an encoder comes twice")
    return encoders


class TextSettings(plugin_sections(text)):  # type: ignore[misc]
    """How texts become feature vectors."""

    encoders: Annotated[
        list[Literal[TEXT_ENCODERS]],  # type: ignore[valid-type]
        Field(min_length=1),
        AfterValidator(_without_repeats),
    ]
    """Blocks of the text features, in this order."""
