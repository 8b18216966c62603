import numpy as np

from pipeline.audit import item_features as module
from pipeline.audit.item_features import ItemFeatures

LABELS = np.arange(40) % 12


def test_features_are_read_in_the_order_asked_for(catalogue):
    index, _ = catalogue(LABELS)
    position_N = np.array([7, 0, 39])
    read = ItemFeatures(index).read(position_N)
    assert (read["image"] == index.image.read(index.clean_row[position_N])).all()
    assert (read["text"] == index.text.read_matrix(index.text_row_N[position_N])).all()


def test_blocks_are_all_items_in_order(catalogue, monkeypatch):
    index, _ = catalogue(LABELS)
    whole = ItemFeatures(index).read(np.arange(len(index)))
    monkeypatch.setattr(module, "ITEMS_PER_READ", 7)
    blocks = list(ItemFeatures(index).blocks())
    assert [rows for rows, _ in blocks] == [slice(n, min(n + 7, 40)) for n in range(0, 40, 7)]
    for name in module.MODALITIES:
        assert (np.concatenate([block[name] for _, block in blocks]) == whole[name]).all()


def test_a_few_words_are_columns_of_their_own(catalogue):
    index, _ = catalogue(LABELS, words=20)
    text_NF = ItemFeatures(index).read(np.arange(40))["text"]
    assert text_NF.shape == (40, 8 + 20)
    assert text_NF.dtype == np.float32
    assert (text_NF[:, 8:].argmax(axis=1) == LABELS).all()


def test_many_words_are_projected_alike_in_every_block(catalogue, monkeypatch):
    monkeypatch.setattr(module, "DENSE_WORDS", 16)
    index, _ = catalogue(LABELS, words=20)
    features = ItemFeatures(index)
    some, rest = features.read(np.arange(5))["text"], features.read(np.arange(5, 40))["text"]
    whole = ItemFeatures(index).read(np.arange(40))["text"]
    assert whole.shape == (40, 16)
    np.testing.assert_allclose(np.concatenate([some, rest]), whole, rtol=1e-6)
