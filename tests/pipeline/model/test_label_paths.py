import numpy as np
import pytest

from pipeline.model.label_paths import path_probabilities

# Labels: shoes, boots, hats. Paths: shoes; shoes<boots; hats.
MEMBERSHIP_KL = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]], dtype=np.float32)


def test_the_path_that_labels_make_up_by_hand():
    # shoes: 0.8 * 0.25 * 0.5 = 0.1; shoes<boots: 0.8 * 0.75 * 0.5 = 0.3;
    # hats: 0.2 * 0.25 * 0.5 = 0.025. They sum to 0.425.
    found_NK = path_probabilities(np.array([[0.8, 0.75, 0.5]], np.float32), MEMBERSHIP_KL)
    assert found_NK.dtype == np.float32
    assert found_NK.tolist() == [pytest.approx([0.1 / 0.425, 0.3 / 0.425, 0.025 / 0.425])]


def test_labels_that_are_sure_give_finite_probabilities():
    sure_NK = path_probabilities(np.array([[1, 0, 0]], np.float32), MEMBERSHIP_KL)
    assert np.isfinite(sure_NK).all()
    assert sure_NK.argmax() == 0
