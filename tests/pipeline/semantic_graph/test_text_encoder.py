import pytest

from pipeline.core.errors import InputError
from pipeline.semantic_graph.encoders import open_clip, sentence


@pytest.mark.parametrize(
    ("encoder", "model", "message"),
    [
        (sentence, "./nothing", r"text model \./nothing: there is no such folder"),
        (open_clip, "ViT-Z-1/openai", "open_clip has no architecture ViT-Z-1"),
    ],
)
def test_what_the_encoder_of_texts_refuses_is_one_line(tmp_path, encoder, model, message):
    with pytest.raises(InputError, match=message):
        encoder.embed([["a"], ["b"]], "leaf", encoder.Settings(model=model), tmp_path)
