import sys

from pipeline.core.plugins import import_plugin, plugin_names, plugin_sections
from pipeline.encoders import text
from pipeline.image_features import backbones


def test_the_files_of_a_folder_are_its_parts_and_only_the_one_asked_for_is_imported():
    names = ("open_clip", "packaged", "sentence_transformers", "timm", "torchvision")
    assert plugin_names(backbones) == names
    for name in plugin_names(backbones):
        sys.modules.pop(f"{backbones.__name__}.{name}", None)
    assert import_plugin(backbones, "timm").__name__ == "pipeline.image_features.backbones.timm"
    assert f"{backbones.__name__}.torchvision" not in sys.modules


def test_every_file_with_settings_has_a_section():
    sections = plugin_sections(text).model_fields
    assert tuple(sections) == plugin_names(text)
    assert sections["glove"].annotation is import_plugin(text, "glove").Settings
    assert plugin_sections(backbones).model_fields == {}
