import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.encoders.encoder import find_encoder
from pipeline.semantic_graph.encoders import open_clip, sentence, transformer
from tests.fresh_process import modules_after
from tests.shipped import shipped


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


PATHS = [["Shoes", "Ankle boots"], ["Food & Drink"], ["Hats"]]


@pytest.mark.parametrize("encoder", [sentence, transformer])
def test_embeddings_are_the_same_whichever_stage_exports_the_network(encoder, tmp_path):
    name = encoder.__name__.rpartition(".")[2]
    settings, text = getattr(shipped("graph"), name), getattr(shipped("text"), name)
    first, second = tmp_path / "first", tmp_path / "second"
    before = encoder.embed(PATHS, "path", settings, first).embedding_KE
    find_encoder(name).fit(["a"], ["a"], text, second)
    after = encoder.embed(PATHS, "path", settings, second).embedding_KE
    assert np.array_equal(before, after)
    # One network for both.
    find_encoder(name).fit(["a"], ["a"], text, first)
    assert len(list(first.iterdir())) == len(list(second.iterdir())) == 1


def test_no_library_is_imported_where_the_network_is_kept(tmp_path):
    settings = shipped("graph").sentence
    sentence.embed(PATHS, "path", settings, tmp_path)
    code = f"""
from pathlib import Path
from pipeline.semantic_graph.encoders import sentence
settings = sentence.Settings(model={settings.model!r})
sentence.embed({PATHS!r}, "path", settings, Path({str(tmp_path)!r}))
"""
    assert not modules_after(code) & {"torch", "transformers", "sentence_transformers"}
