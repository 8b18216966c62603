import importlib.metadata

import pytest

from pipeline.image_features import versions
from pipeline.image_features.versions import decisive_versions


@pytest.mark.parametrize("heif", [True, False])
def test_packages_are_named_with_major_and_minor(monkeypatch, heif):
    numbers = {"pillow": "12.0.1", "simplejpeg": "1.9.0", "torch": "2.9.1+cpu"}
    if heif:
        numbers["pillow-heif"] = "1.1.0"

    def version(package):
        if package not in numbers:
            raise importlib.metadata.PackageNotFoundError(package)
        return numbers[package]

    monkeypatch.setattr(versions, "version", version)
    between = ", pillow-heif 1.1" if heif else ""
    assert decisive_versions("torch") == f"pillow 12.0, simplejpeg 1.9{between}, torch 2.9"


@pytest.mark.parametrize("runtime", ["torch", "onnxruntime"])
def test_the_runtime_is_among_them(runtime):
    assert f"{runtime} " in decisive_versions(runtime)
