import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from pipeline.core.errors import InputError
from pipeline.encoders.pretrained import locate_model
from pipeline.semantic_graph.encoders.transformer import embed

MINILM = "packaged/all_minilm_l6_v2"


def test_a_text_is_the_mean_over_its_own_tokens_of_the_last_layers():
    found = embed([["Shoes"], ["Food & Drink"]], "leaf", model=MINILM, layers=2, combine="concat")
    place = locate_model(MINILM)
    tokens = AutoTokenizer.from_pretrained(place)("Food & Drink", return_tensors="pt")
    with torch.no_grad():
        hidden = AutoModel.from_pretrained(place)(**tokens, output_hidden_states=True).hidden_states
    # Without [CLS] at the beginning and [SEP] at the end.
    expected = torch.cat([layer[0, 1:-1].mean(0) for layer in hidden[-2:]]).numpy()
    assert np.allclose(found.embedding_KE[1], expected, atol=1e-5)
    mean = embed([["Shoes"], ["Food & Drink"]], "leaf", model=MINILM, layers=2, combine="mean")
    halves = np.split(found.embedding_KE, 2, axis=1)
    assert np.allclose(mean.embedding_KE, (halves[0] + halves[1]) / 2, atol=1e-5)


def test_more_layers_than_there_are_is_an_input_error():
    with pytest.raises(InputError, match="layers: got 99"):
        embed([["a"], ["b"]], "leaf", model=MINILM, layers=99, combine="mean")
