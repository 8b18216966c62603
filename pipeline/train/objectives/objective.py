"""What a training objective is: which model it needs, and its parts with their weights.

Shape letters: B batch, D embedding, K classes, L labels.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from pipeline.model.towers import TowersOutput
from pipeline.train.losses.combined import weighted_total
from pipeline.train.losses.graph import Kernel, Precision, Relaxation

Classifier = Literal["shared", "per_modality", "probe"]


@dataclass(frozen=True, kw_only=True)
class LossSettings:
    """The numbers of section `loss` of params.yaml; an objective reads those it has a use for."""

    alpha: float
    """Weight of the classification loss."""
    beta: float
    """Weight of the loss that gives the space its shape: graph, projection or pairs."""
    gamma: float
    """Weight of the cross-modal gap."""
    margin: float
    """zeta of the graph loss."""
    relaxation: Relaxation
    kernel: Kernel
    precision: Precision
    """Of the graph loss's matrix products."""
    triplet_margin: float
    """Triplet: how much farther than a positive a negative is asked to be."""
    cme_margin: float
    """CME: distance from which an unmatched pair is left alone."""
    adamine_margin: float
    adamine_class_weight: float


class Objective(ABC):
    """A named sum of loss parts over one forward pass.

    Rivals differ from HUSE in the loss alone (HUSE section 4): features, towers and batches are
    the same.
    """

    classifier: ClassVar[Classifier]
    """`shared`: one for both modalities; `per_modality`: one each; `probe`: the objective has
    none, so a shared one is trained on detached embeddings, which it cannot change, in order that
    every objective reports an accuracy."""
    projects: ClassVar[bool] = False
    """Whether embeddings are compared with class-name embeddings; they then have psi's dimension,
    whatever model.dim says, as a projection onto a fixed space requires."""

    def __init__(
        self,
        adjacency_KK: Tensor,
        class_embedding_KD: Tensor,
        settings: LossSettings,
        membership_KL: Tensor | None = None,
    ) -> None:
        """Keep the constants.

        Args:
            adjacency_KK: [K, K] semantic graph.
            class_embedding_KD: [K, D] psi of the class names, rows of unit norm.
            settings: Weights and margins.
            membership_KL: [K, L] float, 1 where the items of a class have a label, for a
                classifier over labels; None for one over the K classes.
        """
        self._adjacency_KK = adjacency_KK
        self._class_embedding_KD = class_embedding_KD
        self._settings = settings
        self._membership_KL = membership_KL

    @abstractmethod
    def parts(
        self, output: TowersOutput, label_B: Tensor
    ) -> Mapping[str, tuple[float, Callable[[], Tensor]]]:
        """Name the parts.

        Args:
            output: Forward pass of a batch.
            label_B: [B] int64 classes.

        Returns:
            Weight and unevaluated value of every part, by name.
        """

    def __call__(self, output: TowersOutput, label_B: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss of a batch.

        Args:
            output: Forward pass of the batch.
            label_B: [B] int64 classes.

        Returns:
            The scalar to minimise, and the unweighted parts by name, detached. Parts of weight 0
            are not computed.
        """
        parts = self.parts(output, label_B)
        return weighted_total(
            {name: part for name, (_, part) in parts.items()},
            {name: weight for name, (weight, _) in parts.items()},
        )
