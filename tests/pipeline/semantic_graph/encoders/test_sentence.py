import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from pipeline.core.errors import InputError
from pipeline.encoders.pretrained import locate_model
from pipeline.semantic_graph.encoders.sentence import embed

MINILM = "packaged/all_minilm_l6_v2"


def test_a_class_is_the_mean_of_what_the_library_makes_of_its_parts():
    paths = [["Shoes", "Ankle boots"], ["Food & Drink"]]
    found = embed(paths, "parts_mean", model=MINILM)
    model = SentenceTransformer(locate_model(MINILM), device="cpu")
    shoes, boots, food = model.encode(["Shoes", "Ankle boots", "Food & Drink"])
    assert np.allclose(found.embedding_KE, [(shoes + boots) / 2, food], atol=1e-6)
    assert (found.unknown_words, found.stand_ins) == ([], {})
    whole = embed(paths, "path", model=MINILM)
    assert np.allclose(whole.embedding_KE[0], model.encode("Shoes Ankle boots"), atol=1e-6)


def test_a_missing_folder_is_named():
    with pytest.raises(InputError, match=r"text model \./nothing: there is no such folder"):
        embed([["a"], ["b"]], "leaf", model="./nothing")
