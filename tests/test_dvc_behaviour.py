"""What DVC does with the pipeline: reruns what a change affects, restores the rest, and shows
metrics, experiments and plots.
"""

import json
import re

import pytest
from ruamel.yaml import YAML

TRAINING = "data/train/plots/metrics/train"
PLOTS = {
    *(f"{TRAINING}/{part}.tsv" for part in ("total", "class", "graph", "gap")),
    "Validation",
    "Recall at K",
    "Confusion of top-level classes",
    "Confusion of the classes confused most",
}

METRICS = [
    "retrieval.image_to_text.r_at_1",
    "hierarchy.text_to_image.hp_at_5",
    "classification.fused.accuracy",
]


def stages_run(output: str) -> list[str]:
    return re.findall(r"^Running stage '([\w@]+)'", output, flags=re.MULTILINE)


def stages_restored(output: str) -> list[str]:
    return re.findall(r"^Stage '([\w@]+)' is cached - skipping run", output, flags=re.MULTILINE)


def find(tree, name: str):
    for key in name.split("."):
        tree = tree[key]
    return tree


@pytest.fixture(scope="module")
def experiment(finished_project, tmp_path_factory):
    """A finished project after `dvc exp run -S loss.beta=4`, and what that printed."""
    project = finished_project.copy(tmp_path_factory.mktemp("experiment") / "project")
    return project, project.succeed("dvc", "exp", "run", "-S", "loss.beta=4")


def test_a_second_repro_runs_nothing(project):
    output = project.succeed("dvc", "repro")
    assert stages_run(output) == stages_restored(output) == []
    assert "Data and pipelines are up to date." in output


def test_an_experiment_with_the_loss_reruns_training_and_evaluation_alone(experiment):
    _, output = experiment
    assert stages_run(output) == ["train", "evaluate", "index"]
    assert stages_restored(output) == []


def test_an_experiment_changes_its_parameter_and_nothing_else(experiment, finished_project):
    project, _ = experiment
    before, after = (
        YAML(typ="safe").load(folder.root / "params.yaml") for folder in (finished_project, project)
    )
    assert after["loss"].pop("beta") == 4
    assert before["loss"].pop("beta") != 4
    assert after == before


def test_changing_a_parameter_back_restores_the_results_without_running(
    experiment, finished_project, tmp_path
):
    changed, _ = experiment
    project = changed.copy(tmp_path / "project")
    project.run("git", "checkout", "--quiet", "--", "params.yaml")
    output = project.succeed("dvc", "repro")
    assert stages_run(output) == []
    assert stages_restored(output) == ["train", "evaluate", "index"]
    for name in ("data/train/metrics.json", "data/evaluate/metrics.json"):
        first = (finished_project.root / name).read_bytes()
        assert (project.root / name).read_bytes() == first
        assert name == "data/train/metrics.json" or (changed.root / name).read_bytes() != first


def test_changing_the_catalogue_back_restores_the_texts_features_as_they_were(project):
    project.set({"text.encoders": ["sentence"]})
    block = project.root / "data/text_blocks/sentence/block.parquet"
    catalog = project.root / "data/raw/openmoji/catalog.csv"
    first = catalog.read_text(encoding="utf-8")
    header, *rows = first.splitlines(keepends=True)
    features = project.root / "data/features/text.parquet"
    assert "120 texts, 384 features" in project.succeed("dvc", "repro", "text_features")
    before = block.read_bytes(), features.read_bytes()

    # Fewer rows, and one with a new text, which alone is encoded.
    new = rows[0].replace("grinning face", "broad grin", 1)
    catalog.write_text("".join([header, new, *rows[1:-4]]), encoding="utf-8")
    output = project.succeed("dvc", "repro", "text_features")
    assert {"text_block@sentence", "text_features"} <= set(stages_run(output))
    assert "116 texts, 384 features; no texts without any, 115 taken from an earlier run" in output

    catalog.write_text(first, encoding="utf-8")
    output = project.succeed("dvc", "repro", "text_features")
    assert stages_run(output) == []
    assert {"text_block@sentence", "text_features"} <= set(stages_restored(output))
    assert (block.read_bytes(), features.read_bytes()) == before


def test_a_kept_column_reruns_what_carries_it_and_neither_extraction_nor_training(project):
    catalog = project.root / "data/raw/openmoji/catalog.csv"
    header, *rows = catalog.read_text(encoding="utf-8").splitlines()
    for price in (9, 10):
        lines = [f"{header},price", *(f"{row},{price}" for row in rows)]
        catalog.write_text("\n".join(lines) + "\n", encoding="utf-8")
        project.set({"catalog.columns.keep": ["price"]})
        assert stages_run(project.succeed("dvc", "repro")) == [
            "catalog",
            "attributes",
            "evaluate",
            "index",
        ]


def test_metrics_show_names_what_was_measured(experiment):
    project, _ = experiment
    shown = json.loads(project.succeed("dvc", "metrics", "show", "--json"))
    files = shown[""]["data"]
    for name in METRICS:
        assert 0.0 <= find(files["data/evaluate/metrics.json"]["data"], name) <= 1.0
    assert files["data/train/metrics.json"]["data"]["best_step"] <= 40


def test_metrics_diff_compares_with_the_last_commit(experiment, finished_project):
    project, _ = experiment
    difference = json.loads(project.succeed("dvc", "metrics", "diff", "--all", "--json"))
    metrics = difference["data/evaluate/metrics.json"]
    for name in METRICS:
        old, new = (
            find(json.loads((folder.root / "data/evaluate/metrics.json").read_bytes()), name)
            for folder in (finished_project, project)
        )
        assert metrics[name]["old"] == old
        assert metrics[name]["new"] == new


def test_exp_show_lists_the_experiment_with_its_parameter_and_metrics(experiment):
    project, _ = experiment
    _, commit = json.loads(project.succeed("dvc", "exp", "show", "--json"))
    (found,) = commit["experiments"]
    (revision,) = found["revs"]
    data = revision["data"]
    assert data["params"]["params.yaml"]["data"]["loss"]["beta"] == 4
    for name in METRICS:
        assert find(data["metrics"]["data/evaluate/metrics.json"]["data"], name) is not None


def test_plots_show_makes_a_page_of_all_plots(experiment):
    project, _ = experiment
    project.succeed("dvc", "plots", "show")
    page = (project.root / "dvc_plots" / "index.html").read_text(encoding="utf-8")
    for name in PLOTS:
        assert name in page


def test_plots_hold_loss_curves_recall_and_confusion_of_both_revisions(experiment):
    project, _ = experiment
    plots = json.loads(project.succeed("dvc", "plots", "diff", "--json"))
    assert "errors" not in plots
    assert set(plots["data"]) >= PLOTS
    points = {name: plots["data"][name][0]["content"]["data"]["values"] for name in PLOTS}
    for drawn in points.values():
        assert {point["rev"] for point in drawn} == {"HEAD", "workspace"}
    assert {"image_to_text", "text_to_image"} <= set(points["Recall at K"][0])


def test_plots_hold_the_loss_curves_of_a_rival_beside_those_of_huse(project):
    project.succeed("dvc", "exp", "run", "-S", "loss.objective=triplet", "train")
    shown = project.run("dvc", "plots", "diff", "--json")
    assert shown.stderr == ""
    plots = json.loads(shown.stdout)
    assert "errors" not in plots
    revisions = {
        part: {
            point["rev"]
            for chart in plots["data"][f"{TRAINING}/{part}.tsv"]
            for point in chart["content"]["data"]["values"]
            if float(point[part]) >= 0
        }
        for part in ("total", "class", "graph", "gap", "triplet")
    }
    assert revisions["total"] == revisions["class"] == {"HEAD", "workspace"}
    assert revisions["graph"] == revisions["gap"] == {"HEAD"}
    assert revisions["triplet"] == {"workspace"}
    page = project.run("dvc", "plots", "show")
    assert page.stderr == ""
    html = (project.root / "dvc_plots" / "index.html").read_text(encoding="utf-8")
    for part, revision in revisions.items():
        assert (f"{TRAINING}/{part}.tsv" in html) == ("workspace" in revision)


def test_the_report_of_an_extraction_changes_and_nothing_runs_for_it(project):
    path = project.root / "data/reports/image_features.json"
    first = path.read_bytes()
    project.succeed("dvc", "repro", "--force", "--single-item", "image_features")
    again = json.loads(path.read_bytes())
    assert (again["extracted"], again["from_cache"]) == (0, json.loads(first)["extracted"])
    assert stages_run(project.succeed("dvc", "repro")) == []
    # It belongs to the features beside it and comes back with them.
    project.run("git", "checkout", "--quiet", "--", "dvc.lock")
    project.succeed("dvc", "checkout")
    assert path.read_bytes() == first
    shown = json.loads(project.succeed("dvc", "metrics", "show", "--json"))
    assert not [name for name in shown[""]["data"] if "reports/" in name]


def test_another_split_does_not_touch_image_extraction(project):
    items = (project.root / "data/catalog/items.parquet").read_bytes()
    project.set({"split.seed": 18})
    output = project.succeed("dvc", "repro", "image_features", "text_features")
    assert stages_run(output) == ["catalog", "clean_text", "text_block@glove", "text_features"]
    assert "Stage 'image_features' didn't change, skipping" in output
    assert (project.root / "data/catalog/items.parquet").read_bytes() == items


def test_an_edited_loss_reruns_training_and_not_image_extraction(project):
    project.edit("pipeline/train/losses/gap.py")
    output = project.succeed("dvc", "repro", "--dry")
    assert stages_run(output)[0] == "train"
    assert "Stage 'image_features' didn't change, skipping" in output


def test_a_mistake_stops_dvc_with_one_line_and_mending_it_runs_nothing_again(project):
    project.set({"train.steps": -1})
    stopped = project.run("dvc", "repro")
    assert stopped.returncode != 0
    assert "error: params.yaml: train.steps: got -1;" in stopped.stderr
    assert "Traceback" not in stopped.stdout + stopped.stderr
    project.run("git", "checkout", "--quiet", "--", "params.yaml")
    assert stages_run(project.succeed("dvc", "repro")) == []


def test_dvc_names_a_catalogue_that_is_not_there(project):
    for leaf in ("catalog.path", "catalog.images"):
        project.set({leaf: "data/raw/nowhere"})
        stopped = project.run("dvc", "repro")
        assert stopped.returncode != 0
        assert "data/raw/nowhere" in stopped.stderr
        assert "Traceback" not in stopped.stdout + stopped.stderr
        project.run("git", "checkout", "--quiet", "--", "params.yaml")


def test_a_catalogue_outside_the_project_is_set_from_the_command_line(project, shop):
    values = {
        "catalog.path": shop.root / "catalog.csv",
        "catalog.images": shop.root / "pictures",
        "catalog.columns.group": "null",
        "split.val": 0.25,
        "split.test": 0.25,
    }
    options = [part for leaf, value in values.items() for part in ("-S", f"{leaf}={value}")]
    output = project.succeed("dvc", "exp", "run", *options, "clean_text")
    assert stages_run(output) == ["catalog", "clean_text"]
    assert "catalog: 16 items in 4 classes" in output
