"""What every section of params.yaml has in common."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A group of parameters: frozen, no unknown keys, no defaults, so that the file says what ran.

    `strict` is on: `steps: "100"` or `dropout: yes` is a mistake, not a number. An integer is
    accepted where a float is expected. What checks a section is built when it is first used: every
    command imports all of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)

    moved: ClassVar[Mapping[str, str]] = {}
    """Keys that the section had in earlier versions, and what they are called now."""

    @classmethod
    def section_under(cls, key: str) -> "type[Section] | None":
        """The section that a key holds; None where it holds a value."""
        annotation = cls.model_fields[key].annotation if key in cls.model_fields else None
        if isinstance(annotation, type) and issubclass(annotation, Section):
            return annotation
        return None
