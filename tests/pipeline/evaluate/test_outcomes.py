from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.core.table import write_table
from pipeline.evaluate.outcomes import (
    Outcomes,
    against_baseline,
    differences,
    read_outcomes,
    write_outcomes,
)

IDS = np.array(["a", "b", "c", "d"], dtype=object)


def outcomes(value_of, means_of=None, ids=IDS):
    columns = {name: np.array(values, dtype=np.float64) for name, values in value_of.items()}
    return Outcomes(ids, np.arange(len(ids)), columns, means_of or {})


RUN = outcomes({"x.one": [1, 0, 1, np.nan], "x.two": [1, 1, 0, 0]}, {"mean": ["x.one", "x.two"]})


def test_headline_figures_come_first_and_are_means_of_figures():
    assert RUN.figures() == {
        "mean": pytest.approx((2 / 3 + 1 / 2) / 2),
        "x.one": pytest.approx(2 / 3),
        "x.two": 0.5,
    }
    for name, (low, high) in RUN.intervals().items():
        assert low < RUN.figures()[name] < high


def test_without_some_items_the_figures_are_those_of_the_rest():
    some = RUN.select(np.array([True, False, False, True]))
    assert some.figures() == {"mean": 0.75, "x.one": 1.0, "x.two": 0.5}
    last = RUN.select(np.array([False, False, False, True]))
    assert last.figures() == {"x.two": 0.0}, "no mean without all that it is of"


def test_written_and_read_back(tmp_path):
    write_outcomes(tmp_path / "outcomes.parquet", RUN)
    found = read_outcomes(tmp_path / "outcomes.parquet")
    assert found.item_ids.tolist() == IDS.tolist()
    assert found.group_N.tolist() == [0, 1, 2, 3]
    assert found.means_of == RUN.means_of
    for name, value_N in RUN.value_of.items():
        np.testing.assert_array_equal(found.value_of[name], value_N)


def test_a_table_of_another_program_is_refused(tmp_path):
    path = tmp_path / "outcomes.parquet"
    write_table(path, pd.DataFrame({"item_id": IDS, "group": range(4), "accuracy": 1.0}))
    with pytest.raises(InputError, match=r"outcomes\.parquet: damaged, .*; run huse evaluate"):
        read_outcomes(path)


def test_runs_are_paired_by_item_and_not_by_position():
    # Both are right three times in four, but on the items that both have (b, c, d) the second is
    # right once more.
    first = outcomes({"x": [1, 0, 1, 1]})
    second = outcomes({"x": [1, 1, 1, 0]}, ids=np.array(["d", "c", "b", "e"], dtype=object))
    found, items = differences(first, second)
    assert items == 3
    assert (found["x"].first, found["x"].second) == (pytest.approx(2 / 3), 1.0)
    assert found["x"].value == pytest.approx(1 / 3)
    assert found["x"].low == 0


def test_a_pair_that_is_always_one_way_is_certain_where_single_intervals_overlap():
    rng = np.random.default_rng(0)
    ids = np.array([f"{n}" for n in range(400)], dtype=object)
    base = rng.random(400) < 0.5
    better = base | (rng.random(400) < 0.06)
    first, second = outcomes({"x": base}, ids=ids), outcomes({"x": better}, ids=ids)
    (low, high), (other_low, _) = first.intervals()["x"], second.intervals()["x"]
    assert other_low < high, "apart, the two cannot be told apart"
    assert low < high
    assert differences(first, second)[0]["x"].is_certain
    assert not differences(first, first)[0]["x"].is_certain
    few = replace(second, group_N=np.arange(400) % 9)
    assert not differences(first, few)[0]["x"].is_certain, "nine groups are no sample"


def test_an_item_that_one_run_does_not_count_is_left_out_of_both():
    first, second = outcomes({"x": [1, 0, 0, 0]}), outcomes({"x": [np.nan, 1, 0, 0]})
    found = differences(first, second)[0]["x"]
    assert (found.first, found.second) == (0.0, pytest.approx(1 / 3))


def test_headline_figures_of_one_composition_alone_are_compared():
    other = outcomes(dict(RUN.value_of), {"mean": ["x.one"]})
    assert "mean" not in differences(RUN, other)[0]
    assert list(differences(RUN, RUN)[0]) == ["mean", "x.one", "x.two"]


@pytest.mark.parametrize(
    "other",
    [
        outcomes({"x.one": [1, 1]}, ids=np.array(["y", "z"], dtype=object)),
        outcomes({"y": [1, 1, 1, 1]}),
    ],
)
def test_runs_without_anything_in_common_are_refused(other):
    with pytest.raises(InputError, match="no test item or no figure in common"):
        differences(RUN, other)


def test_the_model_is_compared_with_its_baseline_where_that_was_asked():
    run = outcomes(
        {
            "classification.text.accuracy": [1, 1, 0, 0],
            "classification.fused.accuracy": [1, 1, 1, 0],
            "baseline.fused.accuracy": [0, 1, 0, np.nan],
        }
    )
    found = against_baseline(run)
    assert list(found) == ["fused"]
    assert (found["fused"].first, found["fused"].second) == (pytest.approx(1 / 3), 1.0)
    assert against_baseline(RUN) == {}
