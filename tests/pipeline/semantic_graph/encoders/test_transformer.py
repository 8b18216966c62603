import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from pipeline.core.errors import InputError
from pipeline.encoders.find_model import locate_model
from pipeline.semantic_graph.encoders.transformer import Settings, embed

MINILM = "packaged/all_minilm_l6_v2"


def settings(combine, layers=2):
    return Settings(model=MINILM, layers=layers, combine=combine)


def test_a_text_is_the_mean_over_its_own_tokens_of_the_last_layers(tmp_path):
    found = embed([["Shoes"], ["Food & Drink"]], "leaf", settings("concat"), tmp_path)
    place = locate_model(MINILM)
    tokens = AutoTokenizer.from_pretrained(place)("Food & Drink", return_tensors="pt")
    with torch.no_grad():
        hidden = AutoModel.from_pretrained(place)(**tokens, output_hidden_states=True).hidden_states
    # Without [CLS] at the beginning and [SEP] at the end.
    expected = torch.cat([layer[0, 1:-1].mean(0) for layer in hidden[-2:]]).numpy()
    assert np.allclose(found.embedding_KE[1], expected, atol=1e-5)
    mean = embed([["Shoes"], ["Food & Drink"]], "leaf", settings("mean"), tmp_path)
    halves = np.split(found.embedding_KE, 2, axis=1)
    assert np.allclose(mean.embedding_KE, (halves[0] + halves[1]) / 2, atol=1e-5)


def test_more_layers_than_there_are_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="layers: got 99"):
        embed([["a"], ["b"]], "leaf", settings("mean", 99), tmp_path)
