import pytest

from pipeline.train.budget import budget_of, input_dropout_of
from tests.shipped import shipped


@pytest.mark.parametrize(
    ("items", "steps", "every"),
    [
        # Batches of 256: 20 passes over so few items would be 47 steps.
        (600, 1000, 50),
        (12_800, 1000, 50),
        (25_600, 2000, 100),
        (256_000, 20_000, 1000),
        (10**7, 20_000, 1000),
    ],
)
def test_steps_follow_the_number_of_items(items, steps, every):
    settings = shipped("train", steps="auto", validate_every="auto", batch_size=256)
    assert budget_of(settings, items) == (steps, every)


def test_a_catalogue_smaller_than_a_batch_has_its_fewest_steps():
    assert budget_of(shipped("train", batch_size=256), 3).steps == 1000


def test_numbers_are_taken_as_they_are():
    assert budget_of(shipped("train", steps=37, validate_every=11), 10**6) == (37, 11)
    assert budget_of(shipped("train", steps=37, validate_every="auto"), 10**6) == (37, 2)


@pytest.mark.parametrize(("items", "share"), [(600, 0.5), (5000, 0.5), (20_000, 0.25)])
def test_inputs_are_dropped_less_where_items_are_many(items, share):
    assert input_dropout_of(shipped("model", input_dropout="auto"), items) == pytest.approx(share)
    assert input_dropout_of(shipped("model", input_dropout=0.1), items) == 0.1
