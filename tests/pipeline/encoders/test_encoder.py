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
