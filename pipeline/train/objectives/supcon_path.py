"""Supervised contrast over class paths: what is near shares the path, level by level."""

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.path_contrast import path_contrast
from pipeline.train.losses.present import embeddings, gap_of_pairs
from pipeline.train.objective import Objective, Parts
from pipeline.train.world import ALONE


class SupconPathObjective(Objective):
    """Classification, contrast and gap, without names of classes and their graph.

    After Khosla et al. 2020 (one level) and Zhang et al. 2022, Use All The Labels (every level of
    a hierarchy), over both modalities at once; see `path_contrast` for what differs from theirs.
    They train a classifier afterwards, here HUSE's is trained along.
    """

    classifier = "shared"

    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """See `Objective.parts`; the contrast is the objective, so its weight is 1."""
        embedding_ND, label_N = embeddings(output, label_B)
        temperature = self.loss.temperature
        # Work is divided by items, of which each has two embeddings then.
        world = self.world if output.present is None else ALONE
        return {
            "class": (self.loss.alpha, lambda: self.class_loss(output, label_B)),
            "contrast": (
                1.0,
                lambda: path_contrast(
                    embedding_ND, label_N, self.level_KL, temperature=temperature, world=world
                ),
            ),
            "gap": (self.loss.gamma, lambda: gap_of_pairs(output, label_B)),
        }
