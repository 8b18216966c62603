import subprocess
import sys

import pytest

from pipeline.encoders.encoder import find_encoder
from pipeline.text_features.settings import TEXT_ENCODERS, TextSettings


@pytest.mark.parametrize("name", TEXT_ENCODERS)
def test_every_encoder_has_its_class_and_its_section(name):
    kind = find_encoder(name)
    assert all(callable(getattr(kind, method)) for method in ("fit", "encode", "save", "load"))
    assert name in TextSettings.model_fields


def test_an_unknown_name_is_misuse():
    with pytest.raises(ValueError, match="unknown text encoder 'bert'; known: glove, open_clip"):
        find_encoder("bert")


def test_to_check_params_yaml_no_library_of_models_is_imported():
    """Though the file of every encoder is."""
    code = "import sys, pipeline.settings; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "pipeline.encoders.text.transformer" in loaded
    slow = {"torch", "transformers", "sentence_transformers", "open_clip", "gensim", "scipy"}
    assert slow.isdisjoint(loaded)
