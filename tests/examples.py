"""The files that CONTRIBUTING.md shows whole."""

import re
from pathlib import Path

CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"


def example(name: str) -> str:
    """The code that CONTRIBUTING.md shows for a file, by the file's path in the project."""
    text = CONTRIBUTING.read_text(encoding="utf-8")
    found = re.search(rf"`{re.escape(name)}`[^`]*(?:`[^`]*`)?:\n\n```python\n(.*?)```", text, re.S)
    assert found is not None, name
    return found[1]
