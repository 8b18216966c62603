import json

import numpy as np
import pandas as pd
import pytest

from pipeline.evaluate.outcomes import read_outcomes, write_outcomes


def compared(project, *arguments):
    result = project.huse("compare", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def worse(project):
    """The workspace's model names five classes wrong that the committed one names right."""
    path = project.root / "data" / "evaluate" / "outcomes.parquet"
    before = path.read_bytes()
    path.unlink()  # a link into DVC's cache, perhaps
    path.write_bytes(before)
    outcomes = read_outcomes(path)
    right_N = outcomes.value_of["classification.fused.accuracy"]
    right_N[right_N.nonzero()[0][:5]] = 0
    write_outcomes(path, outcomes)
    return project


def test_a_run_is_compared_with_its_baseline(project):
    found = compared(project)
    details = json.loads((project.root / "data/evaluate/details.json").read_text())
    for modality in ("image", "text", "fused"):
        row = found["figures"][f"{modality} accuracy"]
        expected = details["baseline"][modality]
        assert row["first"] == pytest.approx(expected["baseline"])
        assert row["second"] == pytest.approx(expected["model"])
        assert [row["low"], row["high"]] == pytest.approx(expected["interval"])
    table = project.huse("compare").stdout
    assert "logistic regression" in table
    assert f"{found['items']} test items, paired" in table


def test_the_workspace_is_compared_with_a_revision_item_by_item(worse):
    found = compared(worse, "HEAD")
    assert list(found["figures"])[-1] == "accuracy"
    row = found["figures"]["accuracy"]
    assert row["difference"] == pytest.approx(-5 / found["items"])
    assert row["high"] <= 0
    assert found["figures"]["r_at_1"]["difference"] == 0
    assert any("." in name for name in compared(worse, "HEAD", "--all")["figures"])
    assert "HEAD" in worse.huse("compare", "HEAD").stdout


def test_a_run_compared_with_itself_is_told(project):
    assert "the same run twice?" in project.huse("compare", "HEAD").stdout


def test_folders_and_revisions_are_runs(worse):
    there = compared(worse, str(worse.root / "data" / "evaluate"), "HEAD")
    here = compared(worse, "HEAD", str(worse.root / "data" / "evaluate"))
    value = here["figures"]["accuracy"]["difference"]
    assert there["figures"]["accuracy"]["difference"] == pytest.approx(-value)


def test_runs_that_tested_other_items_are_told_apart(worse):
    path = worse.root / "data" / "evaluate" / "outcomes.parquet"
    outcomes = read_outcomes(path)
    write_outcomes(path, outcomes.select(np.arange(len(outcomes.item_ids)) > 0))
    count = len(outcomes.item_ids)
    said = worse.huse("compare", "HEAD").stdout
    assert f"{count - 1} test items, paired" in said
    assert f"of up to {count}, so figures are not the runs' own" in said


def test_what_is_no_run_is_named(project):
    message = project.refuse("compare", "no-such-experiment")
    assert "compare: no-such-experiment: no test results" in message
    project.set({"evaluate.baseline": 0})
    assert project.huse("baseline").exit_code == 0
    assert project.huse("evaluate").exit_code == 0
    assert "compare: this run has no baseline (evaluate.baseline is 0" in project.refuse("compare")
    frame = pd.read_parquet(project.root / "data" / "evaluate" / "outcomes.parquet")
    assert not any(name.startswith("baseline.") for name in frame)
