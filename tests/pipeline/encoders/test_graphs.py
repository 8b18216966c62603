import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from torch import nn

from pipeline.encoders.graphs import ClipText, HiddenMeans, SentenceGraph


class Layers(nn.Module):
    """A model whose hidden states are its tokens times 0, 1 and 2, in one dimension."""

    def forward(self, input_ids, attention_mask, output_hidden_states):
        states = [(input_ids * attention_mask * n).float()[..., None] for n in range(3)]
        return type("Output", (), {"hidden_states": states})


TOKENS = torch.tensor([[3, 5, 7], [4, 9, 0]])
MASK = torch.tensor([[1, 1, 1], [1, 1, 0]])


@pytest.mark.parametrize(
    ("concat", "expected"), [(True, [[6, 12], [9, 18]]), (False, [[9], [13.5]])]
)
def test_means_are_over_the_tokens_that_count(concat, expected):
    counted = torch.tensor([[0, 1, 1], [0, 1, 0]])
    found = HiddenMeans(Layers(), 2, concat=concat)(TOKENS, MASK, counted)
    assert found.tolist() == expected


def test_a_text_without_tokens_that_count_is_zero():
    found = HiddenMeans(Layers(), 1, concat=True)(TOKENS, MASK, torch.zeros_like(MASK))
    assert found.tolist() == [[0], [0]]


def test_a_sentence_models_modules_run_one_after_the_other(sentence_model):
    model = SentenceTransformer(str(sentence_model), device="cpu").eval()
    texts = ["red shirt", "a blue hat with silk"]
    tokens = model.tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        found = SentenceGraph(model)(tokens["input_ids"], tokens["attention_mask"]).numpy()
    assert np.abs(found - model.encode(texts)).max() < 1e-6


def test_a_stripped_token_is_a_zero_for_a_clip():
    class Clip(nn.Module):
        def encode_text(self, token_BL):
            return token_BL.double()

    assert ClipText(Clip(), None)(TOKENS).tolist() == TOKENS.tolist()
    found = ClipText(Clip(), 5)(TOKENS)
    assert found.tolist() == [[3, 0, 7], [4, 9, 0]]
    assert found.dtype == torch.float32
