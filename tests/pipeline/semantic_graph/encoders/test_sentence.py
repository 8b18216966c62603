import numpy as np
from sentence_transformers import SentenceTransformer

from pipeline.encoders.find_model import locate_model
from pipeline.semantic_graph.encoders.sentence import Settings, embed

MINILM = Settings(model="packaged/all_minilm_l6_v2")


def test_a_class_is_the_mean_of_what_the_library_makes_of_its_parts(tmp_path):
    paths = [["Shoes", "Ankle boots"], ["Food & Drink"]]
    found = embed(paths, "parts_mean", MINILM, tmp_path)
    model = SentenceTransformer(locate_model(MINILM.model), device="cpu")
    shoes, boots, food = model.encode(["Shoes", "Ankle boots", "Food & Drink"])
    assert np.allclose(found.embedding_KE, [(shoes + boots) / 2, food], atol=1e-6)
    assert (found.unknown_words, found.stand_ins) == ([], {})
    whole = embed(paths, "path", MINILM, tmp_path)
    assert np.allclose(whole.embedding_KE[0], model.encode("Shoes Ankle boots"), atol=1e-6)


def test_a_class_has_its_translation_for_the_nearest(tmp_path):
    paths = [["Shoes"], ["Fruit"], ["Schuhe"], ["Obst"]]
    muse = Settings(model="packaged/muse_v3")
    vector_KE = embed(paths, "leaf", muse, tmp_path).embedding_KE
    similarity_KK = vector_KE @ vector_KE.T - 2 * np.eye(4)
    assert similarity_KK.argmax(axis=1).tolist() == [2, 3, 0, 1]
