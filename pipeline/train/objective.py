"""What a training objective is: which model it needs, and its parts with their weights.

Shape letters: B batch, D embedding, K classes, L labels.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.core.errors import InputError
from pipeline.core.machine import MachineSettings
from pipeline.features.graph_file import SemanticGraph
from pipeline.features.pairs import Pairs
from pipeline.features.text_input import text_sizes
from pipeline.model.settings import ModelSettings
from pipeline.model.towers import TowersConfig, TowersOutput
from pipeline.train.loss_settings import LossSettings, objective_module
from pipeline.train.losses.class_loss import classification_loss, cross_entropy

Classifier = Literal["shared", "per_modality", "probe"]

Parts = Mapping[str, tuple[float, Callable[[], Tensor]]]
"""Weight and unevaluated value of every part of a loss, by name."""


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
    own: Any
    """The `Settings` of the objective's file, from params.yaml; None where it has none."""

    def __init__(
        self,
        loss: LossSettings,
        machine: MachineSettings,
        graph: SemanticGraph,
        membership_KL: Tensor | None = None,
        device: torch.device | str = "cpu",
        level_KL: Tensor | None = None,
    ) -> None:
        """Put the constants where the towers are trained.

        Args:
            loss: Weights and margins.
            machine: Says what computes the graph loss.
            graph: Between the K classes.
            membership_KL: [K, L] float, 1 where the items of a class have a label, for a
                classifier over labels; None for one over the K classes.
            device: Of the towers.
            level_KL: [K, L] int64, the prefixes of the class paths, see `class_levels`; None for
                classes without a hierarchy.
        """
        self.loss = loss
        # An objective's file, its section and the value of loss.objective have one name.
        self.own = getattr(loss, loss.objective)
        self.kernel = machine.kernel
        self.adjacency_KK = torch.from_numpy(graph.adjacency_KK).to(device)
        class_embedding_KD = torch.from_numpy(graph.class_embedding_KE)
        self.class_embedding_KD = functional.normalize(class_embedding_KD, dim=1).to(device)
        self.membership_KL = membership_KL
        if level_KL is None:
            level_KL = torch.arange(len(graph.adjacency_KK))[:, None]
        self.level_KL = level_KL.to(device)

    @property
    def fixed_dim(self) -> int:
        """Dimension of the space that is projected onto, where the objective projects."""
        return self.class_embedding_KD.shape[1]

    @abstractmethod
    def parts(self, output: TowersOutput, label_B: Tensor) -> Parts:
        """Name the parts.

        Args:
            output: Forward pass of a batch.
            label_B: [B] int64 classes.
        """

    def __call__(self, output: TowersOutput, label_B: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss of a batch: HUSE eq. 5 and the like.

        Args:
            output: Forward pass of the batch.
            label_B: [B] int64 classes.

        Returns:
            The scalar to minimise, and the unweighted parts by name, detached.

        Raises:
            InputError: Every weight is 0.
            ValueError: A weight is negative.
        """
        parts = self.parts(output, label_B)
        if wrong := [name for name, (weight, _) in parts.items() if weight < 0]:
            raise ValueError(f"weights need to be >= 0, that of {', '.join(wrong)} is not")
        # A part of weight 0 costs nothing: it is not computed.
        values = {name: (weight, part()) for name, (weight, part) in parts.items() if weight > 0}
        if not values:
            raise InputError(
                f"loss: the weights of {', '.join(parts)} are all 0, so there is nothing to "
                "minimise; raise one of alpha, beta, gamma and delta"
            )
        first, *others = [weight * value for weight, value in values.values()]
        return sum(others, start=first), {name: part.detach() for name, (_, part) in values.items()}

    def class_loss(self, output: TowersOutput, label_B: Tensor) -> Tensor:
        """L_class of a batch, which most objectives share.

        Late fusion: cross-entropy over both modalities' logits (HUSE eq. 8). Concatenation: over
        the one prediction from both (notebooks A and B).
        """
        target = label_B if self.membership_KL is None else self.membership_KL[label_B]
        if output.fused_logits_BK is not None:
            return cross_entropy(output.fused_logits_BK, target)
        return classification_loss(output.image_logits_BK, output.text_logits_BK, target)


def objective_of(loss: LossSettings) -> type[Objective]:
    """The one objective that the file named by loss.objective defines."""
    module = objective_module(loss.objective)
    (kind,) = (
        found
        for _, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, Objective) and found.__module__ == module.__name__
    )
    return kind


def make_config(
    kind: type[Objective], sizes: ModelSettings, pairs: Pairs, *, psi_dim: int, num_classes: int
) -> TowersConfig:
    """Fit the sizes of params.yaml to the features and the objective.

    Args:
        kind: What is going to be minimised.
        sizes: Section `model`.
        pairs: Items, for the lengths of their features.
        psi_dim: E, dimension of the class-name embeddings; that of the embedding too where the
            objective projects onto them.
        num_classes: K.

    Raises:
        InputError: Concatenation was asked for with a classifier per modality.
    """
    if sizes.fusion == "concat" and kind.classifier == "per_modality":
        raise InputError(
            "model.fusion: concat needs one classifier on both embeddings, but this loss.objective "
            "has one per modality; use late or product"
        )
    text_features, text_words = text_sizes(pairs.text_NT)
    return TowersConfig(
        image_features=pairs.image_NI.shape[1],
        text_features=text_features,
        text_words=text_words,
        num_classes=num_classes,
        classifier=kind.classifier,
        **sizes.model_dump() | ({"dim": psi_dim} if kind.projects else {}),
    )
