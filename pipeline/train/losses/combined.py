"""The weighted sum of an objective's parts."""

from collections.abc import Callable, Mapping

from torch import Tensor

from pipeline.core.errors import InputError


def weighted_total(
    parts: Mapping[str, Callable[[], Tensor]], weights: Mapping[str, float]
) -> tuple[Tensor, dict[str, Tensor]]:
    """Weighted sum of loss parts, HUSE eq. 5: L = alpha * L_class + beta * L_graph + gamma * L_gap.

    Parts are given unevaluated, so that a part of weight 0 costs nothing: it is never called and
    is absent from the returned parts.

        total, parts = weighted_total(
            {"class": lambda: classification_loss(...), "graph": lambda: graph_loss(...)},
            {"class": 1.0, "graph": 0.0},
        )

    Args:
        parts: Per name, a function without arguments that returns a scalar.
        weights: Per name, a finite weight >= 0; the same names as in `parts`.

    Returns:
        The scalar total, and the unweighted value of every part that was called, detached, in the
        order of `parts`.

    Raises:
        InputError: Every weight is 0.
        ValueError: The names differ, or a weight is negative.
    """
    if parts.keys() != weights.keys():
        raise ValueError(f"parts {sorted(parts)} and weights {sorted(weights)} need the same names")
    if any(weight < 0 for weight in weights.values()):
        raise ValueError(f"weights need to be >= 0, got {dict(weights)}")
    values = {name: part() for name, part in parts.items() if weights[name] > 0}
    if not values:
        raise InputError(
            f"loss: the weights of {', '.join(parts)} are all 0, so there is nothing to minimise; "
            "raise one of alpha, beta and gamma"
        )
    first, *others = [weights[name] * value for name, value in values.items()]
    return sum(others, start=first), {name: value.detach() for name, value in values.items()}
