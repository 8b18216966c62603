"""Names of classes as texts to train on: the text of an item that is nothing but its class.

Shape letters: K classes, M names of a step, T text feature.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from pipeline.core.table import read_table
from pipeline.features.classes import check_same_classes
from pipeline.features.text_input import StoredText
from pipeline.features.text_rows import TextRows
from pipeline.model.towers import NameBatch


class ClassNames:
    """The class names' text features, of which every step gets some in turn.

    A class of two items has a name as long as one of two thousand. That is what a class tree knows
    beyond its items, and what plain features do not tell a linear classifier.
    """

    def __init__(self, text_KT: StoredText, most: int) -> None:
        """Keep the features where the towers are trained.

        Args:
            text_KT: [K, T] text features of the names, in the order of the classes.
            most: Names of a step; of fewer classes every step gets all.
        """
        self._text_KT = text_KT
        self._most = most

    def batch(self, step: int) -> NameBatch:
        """The names of a step: the next ones, round and round; the same on every process.

        Which they are follows from the step, so a run that goes on needs no state of them.
        """
        count = len(self._text_KT)
        size = min(self._most, count)
        class_M = torch.arange(step * size, (step + 1) * size, device=self._text_KT.device) % count
        return NameBatch(self._text_KT[class_M], class_M)


def read_class_names(
    path: Path, names: Sequence[str], *, most: int, device: torch.device
) -> ClassNames:
    """Read what stage text_features made of the class names.

    Raises:
        InputError: The file is missing or damaged, or it is of other classes.
    """
    found = read_table(path, ["item_id"])["item_id"].tolist()
    check_same_classes(found, names, path, "run stages text_block and text_features again")
    return ClassNames(TextRows(path).read(np.arange(len(names))).to(device), most)
