from pathlib import Path

import pytest
from ruamel.yaml import YAML

SHIPPED = Path(__file__).parents[3] / "params.yaml"


@pytest.fixture
def params_with(tmp_path):
    """Copy the shipped params.yaml with one change: a dotted key and YAML text, or None to cut."""

    def write(key: str, text: str | None) -> Path:
        yaml = YAML()
        params = yaml.load(SHIPPED)
        *sections, last = key.split(".")
        node = params
        for section in sections:
            node = node[section]
        if text is None:
            del node[last]
        else:
            node[last] = YAML().load(text)
        path = tmp_path / "params.yaml"
        yaml.dump(params, path)
        return path

    return write
