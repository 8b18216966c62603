import pytest

from tests.examples import example
from tests.fresh_process import modules_after


@pytest.mark.parametrize(
    ("objective", "said"),
    [
        ("huse", ""),
        ("triplet", "loss.triplet.margin: got 5; input should be less than or equal to 2"),
    ],
)
def test_a_command_waits_for_torch_only_where_the_objective_has_settings(
    params_with, objective, said
):
    path = params_with("loss.triplet.margin", "5")
    path.write_text(path.read_text().replace("objective: huse", f"objective: {objective}"))
    code = f"""
from pathlib import Path
from pipeline.settings import check_params
said = ""
try:
    check_params(Path({str(path)!r}), every=False)
except ValueError as error:
    said = str(error)
assert said.endswith({said!r})
"""
    assert ("torch" in modules_after(code)) == (objective == "triplet")


def test_an_objective_with_a_knob_is_a_file_and_a_line_of_params(project):
    name = "pipeline/train/objectives/contrastive.py"
    (project.root / name).write_text(example(name), encoding="utf-8")
    params = project.root / "params.yaml"
    line = "  contrastive: {temperature: 0.1}\n"
    params.write_text(params.read_text().replace("  triplet:\n", f"{line}  triplet:\n", 1))
    project.set({"loss.objective": "contrastive"})
    project.succeed("python", "-m", "stages.train")
    curve = project.root / "data" / "train" / "plots" / "metrics" / "train" / "contrastive.tsv"
    _, *points = [row.split("\t") for row in curve.read_text().splitlines()]
    assert float(points[-1][1]) < 0.9 * float(points[0][1])

    for knob, value, said in (
        ("temperature", 5.0, "got 5.0; input should be less than or equal to 1"),
        ("temperatur", 0.1, "unknown key; did you mean temperature?"),
    ):
        project.set({"loss.contrastive": {"temperature": 0.1, knob: value}})
        done = project.run("python", "-m", "stages.train")
        assert done.returncode == 1
        assert done.stderr == f"error: params.yaml: loss.contrastive.{knob}: {said}\n"
