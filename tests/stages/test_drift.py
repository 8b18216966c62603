import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def sample(shipped_project, tmp_path_factory):
    """The small sample, with its held-out items and noise recorded in two weeks."""
    project = shipped_project.copy(tmp_path_factory.mktemp("drift") / "project")
    catalog = project.root / "data" / "catalog"
    items = pd.read_parquet(catalog / "items.parquet")
    items = items.merge(pd.read_parquet(catalog / "splits.parquet"))
    usual = items[items["split"] != "train"].head(50)
    # Named as a user's table would be: params.yaml calls the text otherwise.
    usual[["image", "text"]].to_csv(project.root / "usual.csv", index=False)
    noise = project.root / "noise"
    noise.mkdir()
    random = np.random.default_rng(0)
    for n in range(20):
        picture = random.integers(256, size=(64, 64, 3), dtype=np.uint8)
        Image.fromarray(picture).save(noise / f"{n}.png")
    lines = ["image,text", *(f"{n}.png,hydrochloric acid titration {n}" for n in range(20))]
    (noise / "new.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for words in (
        ["classify", "usual.csv", "--images", "data/raw/openmoji/images", "--k", "1"],
        ["embed", "noise/new.csv"],
    ):
        when = "2026-11-02" if words[0] == "classify" else "2026-11-09"
        result = project.huse(*words, "--log", "data/drift_log", "--logged-at", when)
        assert result.exit_code == 0, result.output
    return project


def test_a_week_of_noise_is_named_and_one_of_the_catalogue_is_not(sample):
    result = sample.huse("drift")
    assert result.exit_code == 0, result.output
    last = result.stdout.splitlines()[-1]
    assert last.startswith("drift: 2 weeks, beyond what as many items of the catalogue show, at a")
    assert "level of 0.01: 2026-W46 (" in last
    assert "image" in last
    assert "2026-W45" not in last
    table = pd.read_csv(sample.root / "data" / "drift" / "drift.csv")
    assert table["period"].unique().tolist() == ["2026-W45", "2026-W46"]
    far = table[table["figure"] == "far"].set_index("period")["value"]
    assert far["2026-W45"] == 0  # They are in the catalogue.
    assert far["2026-W46"] > 0.5
    assert (sample.root / "data" / "drift" / "report.html").is_file()
    first = (sample.root / "data" / "drift" / "drift.csv").read_bytes()
    assert sample.huse("drift").exit_code == 0
    assert (sample.root / "data" / "drift" / "drift.csv").read_bytes() == first


def test_none_is_named_where_nothing_is_unusual(sample, tmp_path):
    log = sample.root / "usual_log"
    result = sample.huse(
        *("classify", "usual.csv", "--images", "data/raw/openmoji/images"),
        *("--log", "usual_log", "--logged-at", "2026-11-02"),
    )
    assert result.exit_code == 0, result.output
    result = sample.huse("drift", "--log", log.name, "--by", "month", "--out", "other")
    assert "drift: 1 month, beyond" in result.stdout
    assert ": none; see other/report.html" in result.stdout


def test_the_queue_begins_with_what_is_foreign(sample):
    result = sample.huse("drift", "--queue", "5")
    assert "drift: 5 items to label in data/drift/queue.csv" in result.stdout
    queue = pd.read_csv(sample.root / "data" / "drift" / "queue.csv", keep_default_na=False)
    assert len(queue) == 5
    assert queue["source"][0].startswith("new.csv, row ")
    assert queue["near"][0] == "no"


def test_nothing_is_recorded_unless_asked(sample, tmp_path):
    before = sorted((sample.root / "data" / "drift_log").iterdir())
    assert sample.huse("classify", "noise/new.csv").exit_code == 0
    assert sorted((sample.root / "data" / "drift_log").iterdir()) == before


def test_a_log_of_another_model_is_told(sample, project):
    shutil.copytree(sample.root / "data" / "drift_log", project.root / "data" / "drift_log")
    assert "data/drift_log: all of it is of other models than data/model" in project.refuse("drift")
    (project.root / "new.csv").write_text("text\nred heart\n", encoding="utf-8")
    result = project.huse("classify", "new.csv", "--log", "data/drift_log")
    assert result.exit_code == 0, result.output
    result = project.huse("drift")
    assert result.exit_code == 0, result.output
    assert "2 files of another model than data/model left out" in result.stderr


def test_a_missing_log_is_told(project):
    assert project.refuse("drift").startswith("data/drift_log: no batch is recorded there")
