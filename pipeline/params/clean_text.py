"""Section `clean_text` of params.yaml."""

from typing import Literal

from pipeline.params.section import Section


class CleanTextParams(Section):
    """How texts are cleaned."""

    recipe: Literal["letters"]
    """Named sequence of cleaning steps."""
    fold_accents: bool
    """Turn accented letters into plain ones first, so that a recipe does not cut them out."""
