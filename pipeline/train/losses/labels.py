"""The one check of labels, which everything that looks up a class by its number relies on.

Shape letters: N items.
"""

from torch import Tensor


def check_labels(label_N: Tensor, classes: int) -> None:
    """Check that labels are numbers of classes; it waits for the device that they are on.

    A table of classes takes -1 for the last class, and a kernel reads beside the table without a
    word.

    Raises:
        ValueError: A label is not in [0, K).
    """
    outside_M = label_N[(label_N < 0) | (label_N >= classes)]
    if len(outside_M):
        raise ValueError(
            f"labels need to be in [0, {classes}), got {len(outside_M)} others, the first "
            f"{int(outside_M[0])}"
        )


def check_labels_on_cpu(label_N: Tensor, classes: int) -> None:
    """Check labels where that costs nothing; on a device, `train_towers` has checked them all."""
    if label_N.device.type == "cpu":
        check_labels(label_N, classes)
