import sys

import pytest

from pipeline.core.plugins import import_plugin, plugin_names
from pipeline.image_features import backbones


def test_the_files_of_a_folder_are_its_parts_and_only_the_one_asked_for_is_imported():
    assert plugin_names(backbones) == ("open_clip", "packaged", "timm", "torchvision")
    for name in plugin_names(backbones):
        sys.modules.pop(f"{backbones.__name__}.{name}", None)
    assert import_plugin(backbones, "timm").__name__ == "pipeline.image_features.backbones.timm"
    assert f"{backbones.__name__}.torchvision" not in sys.modules


def test_an_unknown_part_is_named_with_the_known():
    with pytest.raises(ValueError, match="backbones: unknown 'keras'; known: open_clip, packaged"):
        import_plugin(backbones, "keras")
