import pytest
import torch

from pipeline.train.losses.combined import weighted_total


def test_weighted_sum_and_unweighted_parts():
    x = torch.tensor(3.0, requires_grad=True)
    parts = {"class": lambda: 2 * x, "graph": lambda: x.square()}
    total, values = weighted_total(parts, {"class": 10.0, "graph": 0.5})
    assert total.item() == 10 * 6 + 0.5 * 9
    assert {name: value.item() for name, value in values.items()} == {"class": 6.0, "graph": 9.0}
    assert not any(value.requires_grad for value in values.values())
    total.backward()
    assert x.grad.item() == 10 * 2 + 0.5 * 6


def test_a_part_of_weight_zero_is_not_computed():
    def expensive() -> torch.Tensor:
        raise RuntimeError("was computed")

    total, values = weighted_total(
        {"class": lambda: torch.tensor(2.0), "graph": expensive}, {"class": 1.0, "graph": 0.0}
    )
    assert total.item() == 2.0
    assert list(values) == ["class"]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"class": 1.0}, "same names"),
        ({"class": 1.0, "graph": -1.0}, ">= 0"),
        ({"class": 0.0, "graph": 0.0}, "nothing to minimise"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights, message):
    parts = {"class": lambda: torch.tensor(1.0), "graph": lambda: torch.tensor(1.0)}
    with pytest.raises(ValueError, match=message):
        weighted_total(parts, weights)
