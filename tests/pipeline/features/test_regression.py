import numpy as np
from scipy.sparse import csr_matrix

from pipeline.features.joined import index_features
from pipeline.features.regression import fit_regression, has_modality, modality_features


def test_features_are_those_of_what_an_item_has_and_both_stand_side_by_side(write_artifacts):
    have = {"images": set(range(12)) - {1}, "texts": set(range(12)) - {4}}
    index = index_features(**write_artifacts(**have, require="any"))
    found = modality_features(index)
    for modality in ("image", "text"):
        lacks_N = np.isnan(found[modality]).all(axis=1)
        assert (lacks_N == ~has_modality(index, modality)).all()
        assert lacks_N.sum() == 1
    assert has_modality(index, "fused").all()
    beside = np.concatenate([found["image"], found["text"]], axis=1)
    assert np.array_equal(found["fused"], beside, equal_nan=True)


def test_a_regression_fills_gaps_and_a_sparse_block_stays_sparse():
    feature_NF = np.array([[0.0, 1], [0, np.nan], [5, 1], [5, 2]], np.float32)
    label_N = np.array(["a", "a", "b", "b"])
    assert fit_regression(feature_NF, label_N).predict(feature_NF).tolist() == label_N.tolist()
    sparse = csr_matrix(np.nan_to_num(feature_NF))
    assert fit_regression(sparse, label_N).predict(sparse).tolist() == label_N.tolist()
