import numpy as np

from pipeline.encoders.packaged.muse_v3 import find_files, open_model

SAME = ["a pair of shoes", "ein Paar Schuhe", "une paire de chaussures", "пара обуви", "一双鞋"]
OTHER = ["the galaxy", "die Galaxie", "la galaxie", "галактика", "银河"]


def test_a_text_is_nearest_to_its_translation():
    encode = open_model(find_files())
    same_ME, other_ME = encode(SAME), encode(OTHER)
    assert same_ME.shape == (5, 512)
    assert same_ME.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(same_ME, axis=1), 1.0, atol=1e-5)
    assert (same_ME @ same_ME.T).min() > (same_ME @ other_ME.T).max() + 0.2


def test_no_text_is_no_row():
    assert open_model(find_files())([]).shape == (0, 512)


def test_other_texts_of_a_call_change_the_last_bits_at_most():
    encode = open_model(find_files())
    together, alone = encode(SAME), np.concatenate([encode([text]) for text in SAME])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.array_equal(together, encode(SAME))
