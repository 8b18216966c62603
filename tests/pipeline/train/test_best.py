import pytest
import torch

from pipeline.train.best import keep_better
from tests.shipped import shipped


@pytest.fixture
def choose(make_model):
    """Validate a model at the steps 1, 2, ... with these scores; the validation that is kept."""

    def run(scores, *, tolerance, items=100):
        settings = shipped("train", monitor="score", tolerance=tolerance)
        model, best = make_model(), None
        for step, score in enumerate(scores, start=1):
            torch.nn.init.constant_(model.log_scale, float(step))
            best = keep_better(best, model, step, {"score": score}, settings, items)
        return best

    return run


def test_without_tolerance_the_first_of_the_very_best_is_kept(choose):
    best = choose([0.5, 0.8, 0.7, 0.8], tolerance=0.0)
    assert (best.step, best.metrics, best.state["log_scale"].item()) == (2, {"score": 0.8}, 2.0)


def test_the_last_within_the_noise_of_the_best_is_kept(choose):
    # One standard error of 0.8 over 100 items is 0.04.
    best = choose([0.5, 0.8, 0.77, 0.75], tolerance=1.0)
    assert (best.step, best.metrics, best.top) == (3, {"score": 0.77}, 0.8)
    assert best.state["log_scale"].item() == 3.0


def test_many_items_leave_little_noise(choose):
    assert choose([0.8, 0.77], tolerance=1.0, items=10_000).step == 1


def test_noise_is_counted_from_the_best_not_from_what_is_kept(choose):
    # 0.74 is within an error of 0.77, which is kept, and not of 0.8.
    assert choose([0.8, 0.77, 0.74], tolerance=1.0).step == 2


def test_a_perfect_figure_has_no_noise(choose):
    assert choose([1.0, 1.0, 0.99], tolerance=1.0).step == 1
