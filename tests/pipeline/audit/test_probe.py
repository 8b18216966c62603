import numpy as np
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from pipeline.audit.probe import fit_probe, spread


def points(random, count, scale=3.0):
    label_N = random.integers(0, 3, size=count)
    centre_KF = np.array([[0, 0, 1], [2, 0, 1], [0, 2, 1]], dtype=np.float32)
    feature_NF = centre_KF[label_N] + random.normal(size=(count, 3))
    feature_NF[:, 2] = 5  # constant
    return (feature_NF * scale + 10).astype(np.float32), label_N


def test_probabilities_are_about_those_of_logistic_regression():
    random = np.random.default_rng(0)
    feature_MF, label_M = points(random, 2000)
    asked_NF, _ = points(random, 200)
    probe = fit_probe(feature_MF, label_M, 3, seed=0)
    found = log_softmax(asked_NF @ probe.weight_FK + probe.bias_K, axis=1)
    mean_F, scale_F = spread(feature_MF)
    model = LogisticRegression().fit((feature_MF - mean_F) / scale_F, label_M)
    expected = model.predict_proba((asked_NF - mean_F) / scale_F)
    np.testing.assert_allclose(np.exp(found), expected, atol=0.1)


def test_one_seed_gives_one_probe():
    feature_MF, label_M = points(np.random.default_rng(0), 300)
    one, again = (fit_probe(feature_MF, label_M, 3, seed=4) for _ in range(2))
    assert (one.weight_FK == again.weight_FK).all()


def test_a_class_without_items_is_improbable():
    feature_MF, label_M = points(np.random.default_rng(0), 300)
    probe = fit_probe(feature_MF, label_M, 4, seed=0)
    p_NK = np.exp(log_softmax(feature_MF @ probe.weight_FK + probe.bias_K, axis=1))
    assert p_NK[:, 3].max() < 0.01


def test_a_constant_feature_is_left_as_it_is():
    mean_F, scale_F = spread(np.array([[1, 2], [3, 2]], dtype=np.float32))
    assert (mean_F.tolist(), scale_F.tolist()) == ([2, 2], [1, 1])
