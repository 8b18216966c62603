import pytest
import torch

from pipeline.train.losses.labels import check_labels, check_labels_on_cpu


@pytest.mark.parametrize("check", [check_labels, check_labels_on_cpu])
def test_a_label_that_is_no_number_of_a_class_is_told(check):
    check(torch.tensor([0, 2, 1]), 3)
    check(torch.empty(0, dtype=torch.int64), 3)
    for label in (-1, 3):
        with pytest.raises(ValueError, match=rf"in \[0, 3\), got 1 others, the first {label}$"):
            check(torch.tensor([0, label, 1]), 3)


def test_labels_elsewhere_are_not_waited_for():
    check_labels_on_cpu(torch.tensor([5], device="meta"), 3)
