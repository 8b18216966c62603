import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.attributes.heads import calibrated, fit_head, read_heads, write_heads
from pipeline.core.errors import InputError
from pipeline.features.regression import fit_regression


@pytest.fixture
def feature_NF():
    feature_NF = np.random.default_rng(0).normal(1.0, 3.0, (60, 7)).astype(np.float32)
    feature_NF[::6, :3] = np.nan
    return feature_NF


@pytest.fixture(params=[2, 4])
def value_N(request):
    return np.arange(60) % request.param


@pytest.mark.parametrize("sparse", [False, True])
def test_it_says_what_scikit_learn_says(feature_NF, value_N, sparse):
    features = csr_matrix(feature_NF) if sparse else feature_NF
    wanted_NV = fit_regression(features, value_N).predict_proba(features)
    found_NV = fit_head(features, value_N, value_N.max() + 1).probabilities(features)
    assert np.abs(found_NV - wanted_NV).max() < 1e-5


def test_a_head_is_read_back_as_it_was_written(feature_NF, value_N, tmp_path):
    head = calibrated(fit_head(feature_NF, value_N, value_N.max() + 1), feature_NF, value_N)
    write_heads(tmp_path / "heads.safetensors", {"colour/image": head})
    found = read_heads(tmp_path / "heads.safetensors")
    assert list(found) == ["colour/image"]
    same = found["colour/image"].probabilities(feature_NF)
    assert np.array_equal(same, head.probabilities(feature_NF))


def test_an_overconfident_head_is_sobered_and_says_the_same(feature_NF, value_N):
    head = fit_head(feature_NF, value_N, value_N.max() + 1)
    sure = head._replace(temperature=head.temperature / 20)
    other_N = np.random.default_rng(1).permutation(value_N)
    sober = calibrated(sure, feature_NF, other_N)
    rows = np.arange(60)
    likely = [one.probabilities(feature_NF)[rows, other_N] + 1e-12 for one in (sure, sober)]
    assert np.log(likely[1]).mean() > np.log(likely[0]).mean()
    assert (sure.logits(feature_NF).argmax(1) == sober.logits(feature_NF).argmax(1)).all()
    assert calibrated(sure, feature_NF[:0], other_N[:0]) is sure, "no items, nothing fitted"


def test_the_only_value_is_certain(feature_NF):
    head = fit_head(feature_NF, np.zeros(60, int), 1)
    assert (head.probabilities(feature_NF) == 1).all()


def test_what_is_missing_damaged_or_of_other_features_is_told(feature_NF, value_N, tmp_path):
    path = tmp_path / "heads.safetensors"
    with pytest.raises(InputError, match="not found; run huse attributes"):
        read_heads(path)
    path.write_bytes(b"no tensors")
    with pytest.raises(InputError, match="damaged"):
        read_heads(path)
    head = fit_head(feature_NF, value_N, value_N.max() + 1)
    with pytest.raises(ValueError, match="6 features, the head takes 7"):
        head.logits(feature_NF[:, :6])
