import subprocess
import sys

import pytest

CHECK = """
import sys
from pathlib import Path
from pipeline.settings import check_params
try:
    check_params(Path(sys.argv[1]))
except ValueError as error:
    print(error)
print("torch" in sys.modules)
"""

CONTRASTIVE = '''"""Contrastive: an image finds its text in the batch, and a text its image."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import cross_entropy

from pipeline.core.section import Section
from pipeline.model.towers import TowersOutput
from pipeline.train.objective import Objective, Parts


class Settings(Section):
    """Section `loss.contrastive`."""

    temperature: Annotated[float, Field(gt=0.0, le=1.0)]
    """Similarities are divided by it: the smaller, the more the nearest others count."""


class ContrastiveObjective(Objective):
    """InfoNCE in both directions, as CLIP is trained (Radford et al. 2021)."""

    classifier = "probe"
    own: Settings

    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """See `Objective.parts`; `class` trains the probe and nothing else."""
        image_BD, text_BD, temperature = output.image_BD, output.text_BD, self.own.temperature
        return {
            "class": (1.0, lambda: self.class_loss(output, label_B)),
            "contrastive": (1.0, lambda: contrastive_loss(image_BD, text_BD, temperature)),
        }


def contrastive_loss(image_BD: Tensor, text_BD: Tensor, temperature: float) -> Tensor:
    """Mean cross-entropy of finding each image's text, and each text's image, in the batch."""
    logits_BB = image_BD @ text_BD.T / temperature
    item_B = torch.arange(len(logits_BB), device=logits_BB.device)
    return (cross_entropy(logits_BB, item_B) + cross_entropy(logits_BB.T, item_B)) / 2
'''


@pytest.mark.parametrize(
    ("objective", "said"),
    [
        ("huse", "False"),
        ("triplet", "loss.triplet.margin: got 5; input should be less than or equal to 2\nTrue"),
    ],
)
def test_a_command_waits_for_torch_only_where_the_objective_has_settings(
    params_with, objective, said
):
    path = params_with("loss.triplet.margin", "5")
    path.write_text(path.read_text().replace("objective: huse", f"objective: {objective}"))
    done = subprocess.run(
        [sys.executable, "-c", CHECK, path], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().removeprefix(f"{path}: ") == said


def test_an_objective_with_a_knob_is_a_file_and_a_line_of_params(project):
    file = project.root / "pipeline" / "train" / "objectives" / "contrastive.py"
    file.write_text(CONTRASTIVE, encoding="utf-8")
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
