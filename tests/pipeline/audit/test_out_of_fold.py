import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from pipeline.audit import item_features as features_module
from pipeline.audit import out_of_fold as module
from pipeline.audit.folds import deal_folds
from pipeline.audit.out_of_fold import Opinion, OutOfFoldProbes
from pipeline.audit.suspects import who_says_so

LABELS = np.arange(240) % 12
K = 12


def probes_of(index, folds=3, most_items=1000):
    fold_N = deal_folds(index.shared_N3[:, 0], index.label_N, folds, seed=0)
    return OutOfFoldProbes(index, fold_N, K, most_items=most_items), fold_N


@pytest.fixture
def index(catalogue):
    return catalogue(LABELS, noise=1.0)[0]


def everything(probes):
    """[N, K] log probabilities of all classes by opinion."""
    found = probes.judge(np.tile(np.arange(K), (len(LABELS), 1)))
    return {name: getattr(found, name).log_p_NA[:, :K] for name in ("image", "text", "fused")}


def test_probabilities_of_all_classes_sum_to_one_and_find_the_class(index):
    for log_p_NK in everything(probes_of(index)[0]).values():
        np.testing.assert_allclose(np.exp(log_p_NK).sum(axis=1), 1, rtol=1e-5)
        assert (log_p_NK.argmax(axis=1) == LABELS).mean() > 0.5  # one in twelve by chance


def test_both_together_are_the_weighted_product_less_the_class_shares(index):
    probes, _ = probes_of(index)
    log_p = everything(probes)
    image, text, share = probes.pooling
    log_share_K = np.log((np.bincount(LABELS) + 0.5) / len(LABELS))
    sum_NK = image * log_p["image"] + text * log_p["text"] - share * log_share_K
    expected_NK = sum_NK - np.logaddexp.reduce(sum_NK, axis=1, keepdims=True)
    np.testing.assert_allclose(log_p["fused"], expected_NK, atol=1e-4)
    loss = -log_p["fused"][np.arange(len(LABELS)), LABELS].mean()
    for name in ("image", "text"):
        assert loss < -log_p[name][np.arange(len(LABELS)), LABELS].mean()


def test_what_is_kept_is_what_all_classes_say(index):
    probes, _ = probes_of(index)
    log_p = everything(probes)
    found = probes.judge(np.stack([LABELS, (LABELS + 5) % K], axis=1))
    row_N = np.arange(len(LABELS))
    others_NK = log_p["fused"].copy()
    others_NK[row_N, LABELS] = -np.inf
    assert (found.rival_N == others_NK.argmax(axis=1)).all()
    for name, log_p_NK in log_p.items():
        opinion = getattr(found, name)
        asked_NA = np.stack([LABELS, (LABELS + 5) % K, found.rival_N], axis=1)
        expected_NA = np.take_along_axis(log_p_NK, asked_NA, axis=1)
        np.testing.assert_allclose(opinion.log_p_NA, expected_NA, rtol=1e-5, atol=1e-6)
        assert (opinion.best_N2 == np.argsort(-log_p_NK, axis=1)[:, :2]).all()


def test_an_items_own_label_says_nothing_of_it(catalogue):
    index, _ = catalogue(LABELS)
    probes, fold_N = probes_of(index)
    moved_N = np.where(fold_N == 0, (LABELS + 1) % K, LABELS)
    other = index.take(np.arange(len(index)))
    other.label_N[:] = moved_N
    again = OutOfFoldProbes(other, fold_N, K, most_items=1000)
    # Together they are another matter: their weights come from a sample of all folds.
    for name in ("image", "text"):
        one_NK, two_NK = everything(probes)[name], everything(again)[name]
        np.testing.assert_allclose(one_NK[fold_N == 0], two_NK[fold_N == 0], atol=1e-5)
        assert np.abs(one_NK - two_NK)[fold_N != 0].max() > 0.1


def test_support_is_what_was_fitted_on_outside_the_fold(index):
    probes, fold_N = probes_of(index)
    found = probes.judge(LABELS[:, None])
    for n in range(0, len(LABELS), 17):
        for column, label in ((0, LABELS[n]), (1, found.rival_N[n])):
            outside = ((label == LABELS) & (fold_N != fold_N[n])).sum()
            assert found.support_NA[n, column] == outside


def test_blocks_change_nothing(index, monkeypatch):
    probes, _ = probes_of(index)
    whole = probes.judge(LABELS[:, None])
    monkeypatch.setattr(module, "BLOCK_LOGITS", 5 * K)
    monkeypatch.setattr(features_module, "ITEMS_PER_READ", 17)
    blocks = probes.judge(LABELS[:, None])
    np.testing.assert_allclose(blocks.fused.log_p_NA, whole.fused.log_p_NA, atol=1e-5)
    assert (blocks.rival_N == whole.rival_N).all()


def test_classes_of_which_items_are_left_out_stay_as_probable(catalogue):
    # Two classes that nothing tells apart: 300 items of one and 30 of the other.
    label_N = np.repeat([0, 1], [300, 30])
    index, _ = catalogue(label_N, true_N=np.zeros(330, dtype=np.int64))
    fold_N = deal_folds(np.arange(330), label_N, 3, seed=0)
    means = []
    for most_items in (330, 60):
        probes = OutOfFoldProbes(index, fold_N, K, most_items=most_items)
        asked_NA = np.zeros((330, 1), dtype=np.int64)
        means.append(float(np.exp(probes.judge(asked_NA).image.log_p_NA[:, 0]).mean()))
    assert means[0] == pytest.approx(10 / 11, abs=0.05)
    assert means[1] == pytest.approx(10 / 11, abs=0.1)


def test_the_best_other_class_is_the_first_that_is_not_asked_for():
    best_N2, log_best_N2 = np.array([[3, 1], [3, 1]]), np.array([[-0.1, -2], [-0.1, -2]])
    opinion = Opinion(np.zeros((2, 1)), best_N2, log_best_N2)
    label_N, log_p_N = opinion.best_other(np.array([3, 0]))
    assert (label_N.tolist(), log_p_N.tolist()) == ([1, 3], [-2, -0.1])


MANY = """
import resource
import numpy as np
import torch
from pipeline.audit.out_of_fold import OutOfFoldProbes, Pooling
from pipeline.audit.probe import Probe

ITEMS, CLASSES = 20_000, 5_000
torch.set_num_threads(1)

class Features:
    def blocks(self):
        for start in range(0, ITEMS, 4096):
            rows = slice(start, min(start + 4096, ITEMS))
            plain = np.zeros((rows.stop - start, 4), dtype=np.float32)
            yield rows, {"image": plain, "text": plain}

probe = Probe(np.zeros((4, CLASSES), np.float32), np.zeros(CLASSES, np.float32))
probes = OutOfFoldProbes.__new__(OutOfFoldProbes)
vars(probes).update(
    _log_share_K=np.zeros(CLASSES, np.float32), _count_fK=np.zeros((2, CLASSES), int),
    _fold_N=np.zeros(ITEMS, int), pooling=Pooling(0.5, 0.5, 0.0), _features=Features(),
    _probes={"image": [probe] * 2, "text": [probe] * 2},
    has_image=np.ones(ITEMS, bool), has_text=np.ones(ITEMS, bool),
)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
probes.judge(np.zeros((ITEMS, 2), dtype=int))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems measure memory otherwise")
def test_memory_is_that_of_a_block_however_many_there_are():
    done = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Two gibibytes where every block's results lay between the blocks.
    assert int(done.stdout) < 800


def test_an_item_that_lacks_its_picture_is_judged_by_its_text_and_the_reverse(catalogue):
    index = catalogue(LABELS, noise=1.0)[0]
    views = np.ones(len(LABELS), dtype=np.int64)
    views[1::9] = 0
    texts = index.text_row_N.copy()
    texts[2::9] = -1
    gaps = replace(
        index, num_views_N=views, view_row_R=index.view_row_R[views > 0], text_row_N=texts
    )
    probes, _ = probes_of(gaps)
    said = everything(probes)
    for name in ("image", "fused"):
        assert np.array_equal(said[name][1::9], said["text"][1::9])
    for name in ("text", "fused"):
        assert np.array_equal(said[name][2::9], said["image"][2::9])
    for log_p_NK in said.values():
        assert np.isfinite(log_p_NK).all()
        assert (log_p_NK.argmax(axis=1) == LABELS).mean() > 0.5
    found = probes.judge(np.stack([LABELS, (LABELS + 1) % K], axis=1))
    says_so = who_says_so(found, gaps.has_image, gaps.has_text)
    assert not {"image", "both"} & set(says_so[1::9])
    assert not {"text", "both"} & set(says_so[2::9])
