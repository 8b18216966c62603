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
from pipeline.train.budget import input_dropout_of
from pipeline.train.loss_settings import LossSettings, objective_module
from pipeline.train.losses.class_loss import classification_loss, cross_entropy, log_prior
from pipeline.train.world import ALONE, World

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
        level_KL: Tensor,
        membership_KL: Tensor | None = None,
        count_K: Tensor | None = None,
        device: torch.device | str = "cpu",
        world: World = ALONE,
    ) -> None:
        """Put the constants where the towers are trained.

        Args:
            loss: Weights and margins.
            machine: Says what computes the graph loss.
            graph: Between the K classes.
            level_KL: [K, L] int64 node of each class at each level of the tree; see `class_levels`.
            membership_KL: [K, L] float, 1 where the items of a class have a label, for a
                classifier over labels; None for one over the K classes.
            count_K: [K] training items of each class; needed with `loss.logit_adjustment`.
            device: Of the towers.
            world: The processes that share every batch, whose work on pairs is shared too.

        Raises:
            InputError: Logits were to be adjusted, but items have several labels.
        """
        self.loss = loss
        # An objective's file, its section and the value of loss.objective have one name.
        self.own = getattr(loss, loss.objective)
        self.kernel = machine.kernel
        self.world = world
        self.adjacency_KK = torch.from_numpy(graph.adjacency_KK).to(device)
        class_embedding_KD = torch.from_numpy(graph.class_embedding_KE)
        self.class_embedding_KD = functional.normalize(class_embedding_KD, dim=1).to(device)
        self.level_KL = level_KL.to(device)
        self.membership_KL = membership_KL
        self.log_prior_K: Tensor | None = None
        if loss.logit_adjustment > 0:
            if membership_KL is not None:
                raise InputError(
                    "loss.logit_adjustment: labels of which an item has several have no shares "
                    "to adjust for; set it to 0, or catalog.label to path or leaf"
                )
            assert count_K is not None, "the adjustment needs the classes' items"
            self.log_prior_K = log_prior(count_K, loss.logit_adjustment).to(device)

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

        Late fusion: cross-entropy over both modalities' logits (HUSE eq. 8), and with weight
        `loss.joint` over their sum. Concatenation: over the one prediction from both (notebooks A
        and B). With weight `loss.names`, class names are classified too, as texts of their class.
        Of items that lack a modality the logits that there are count, each as much as any other.
        """
        target = self._target(label_B)
        image_BK, text_BK = output.image_logits_BK, output.text_logits_BK
        if output.fused_logits_BK is not None:
            total = cross_entropy(self._adjusted(output.fused_logits_BK), target)
        elif output.present is None:
            total = classification_loss(self._adjusted(image_BK), self._adjusted(text_BK), target)
        else:
            image_B, text_B = output.present
            logits_NK = torch.cat([image_BK[image_B], text_BK[text_B]])
            total = cross_entropy(
                self._adjusted(logits_NK), torch.cat([target[image_B], target[text_B]])
            )
            image_BK, text_BK = image_BK * image_B[:, None], text_BK * text_B[:, None]
        if output.fused_logits_BK is None and self.loss.joint > 0:
            joint = cross_entropy(self._adjusted(image_BK + text_BK), target)
            total = total + self.loss.joint * joint
        if output.name_logits_MK is not None and output.name_class_M is not None:
            # Every class has one name: there is no share to adjust for.
            names = cross_entropy(output.name_logits_MK, self._target(output.name_class_M))
            total = total + self.loss.names * names
        return total

    def _target(self, class_B: Tensor) -> Tensor:
        return class_B if self.membership_KL is None else self.membership_KL[class_B]

    def _adjusted(self, logits_BK: Tensor) -> Tensor:
        return logits_BK if self.log_prior_K is None else logits_BK + self.log_prior_K


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
    kind: type[Objective],
    sizes: ModelSettings,
    pairs: Pairs,
    *,
    psi_dim: int,
    num_classes: int,
    num_train: int,
) -> TowersConfig:
    """Fit the sizes of params.yaml to the features and the objective.

    Args:
        kind: What is going to be minimised.
        sizes: Section `model`.
        pairs: Items, for the lengths of their features.
        psi_dim: E, dimension of the class-name embeddings; that of the embedding too where the
            objective projects onto them.
        num_classes: K.
        num_train: Training items, by which `auto` is worked out.

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
        **sizes.model_dump()
        | {"input_dropout": input_dropout_of(sizes, num_train)}
        | ({"dim": psi_dim} if kind.projects else {}),
    )
