import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.core.errors import InputError
from pipeline.core.ray_cluster import join_ray


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"^machine\.engine: ray is not .* the extra `ray`$"):
        join_ray()


@pytest.mark.parametrize("joined", [False, True])
def test_a_cluster_is_joined_once_and_finds_the_project(monkeypatch, joined):
    given = []
    ray = SimpleNamespace(is_initialized=lambda: joined, init=lambda **how: given.append(how))
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert join_ray() is ray
    path = os.pathsep.join([str(Path(__file__).parents[3]), "/elsewhere"])
    found = [how["runtime_env"]["env_vars"]["PYTHONPATH"] for how in given]
    assert found == ([] if joined else [path])
