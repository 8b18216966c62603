"""HUSE: L = alpha * L_class + beta * L_graph + gamma * L_gap (eq. 5) + delta * L_contrast."""

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.graph_loss import graph_loss
from pipeline.train.losses.path_contrast import path_contrast
from pipeline.train.losses.present import embeddings, gap_of_pairs
from pipeline.train.objective import Objective, Parts
from pipeline.train.world import ALONE


class HuseObjective(Objective):
    """Classification, semantic graph and cross-modal gap; with delta > 0 a contrast besides.

    Eq. 10 leaves pairs of far classes alone; the contrast, which the paper does not have, orders
    them by what their class paths share.
    """

    classifier = "shared"

    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """See `Objective.parts`; pairs are formed over both modalities' 2B embeddings."""
        embedding_ND, label_N = embeddings(output, label_B)
        # Work is divided by items, of which each has two embeddings then.
        world = self.world if output.present is None else ALONE
        return {
            "class": (self.loss.alpha, lambda: self.class_loss(output, label_B)),
            "graph": (
                self.loss.beta,
                lambda: graph_loss(
                    embedding_ND,
                    label_N,
                    self.adjacency_KK,
                    margin=self.loss.margin,
                    relaxation=self.loss.relaxation,
                    kernel=self.kernel,
                    precision=self.loss.precision,
                    world=world,
                ),
            ),
            "gap": (self.loss.gamma, lambda: gap_of_pairs(output, label_B)),
            "contrast": (
                self.loss.delta,
                lambda: path_contrast(
                    embedding_ND,
                    label_N,
                    self.level_KL,
                    temperature=self.loss.temperature,
                    world=world,
                ),
            ),
        }
