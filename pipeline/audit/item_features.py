"""Features of chosen items as dense matrices, whatever blocks the text features have.

Shape letters: N items, F features, V vocabulary.
"""

from collections.abc import Iterator

import numpy as np

from pipeline.core.block import Block
from pipeline.features.joined import FeatureIndex

MODALITIES = ("image", "text")
DENSE_WORDS = 1024
"""Numbers that a sparse text is projected to: distances stay as they are within some percent
(Johnson and Lindenstrauss), and a classifier of 100,000 words per class fits into no memory."""
ITEMS_PER_READ = 8192


class ItemFeatures:
    """Reads the features of items: the clean view of the picture, and the text.

    A row of NaN stands for what an item lacks.
    """

    def __init__(self, index: FeatureIndex) -> None:
        """Nothing is read yet; `index` has the items."""
        self._index = index
        self._clean_row_N = index.clean_row
        text = index.text
        self._projection = None
        if text.num_words and text.dimension + text.num_words > DENSE_WORDS:
            # Half a second of import that others need not wait for.
            from sklearn.random_projection import SparseRandomProjection

            self._projection = SparseRandomProjection(
                DENSE_WORDS, dense_output=True, random_state=0
            )

    def read(self, position_N: np.ndarray) -> dict[str, np.ndarray]:
        """Read [N, F] float32 features by modality of items at [N] positions, in that order."""
        image_NF = self.read_images(position_N)
        row_N = self._index.text_row_N[position_N]
        text_NF = np.asarray(self._dense(self._index.text.read_matrix(row_N)), dtype=np.float32)
        text_NF[row_N < 0] = np.nan
        return {"image": image_NF, "text": text_NF}

    def read_images(self, position_N: np.ndarray) -> np.ndarray:
        """Read the [N, F] features of the clean view alone, as `read` does."""
        row_N = self._clean_row_N[position_N]
        image_NF = self._index.image.read(row_N)
        image_NF[row_N < 0] = np.nan
        return image_NF

    def blocks(self) -> Iterator[tuple[slice, dict[str, np.ndarray]]]:
        """Yield the features of all items, consecutive ones together."""
        for start in range(0, len(self._index), ITEMS_PER_READ):
            stop = min(start + ITEMS_PER_READ, len(self._index))
            yield slice(start, stop), self.read(np.arange(start, stop))

    def _dense(self, text_NF: Block) -> np.ndarray:
        if isinstance(text_NF, np.ndarray):
            return text_NF
        if self._projection is None:
            return text_NF.toarray()
        if not hasattr(self._projection, "components_"):
            self._projection.fit(text_NF)  # takes their number of columns alone
        return self._projection.transform(text_NF)


def has_features(feature_NF: np.ndarray) -> np.ndarray:
    """[N] bool: which rows are no rows of NaN."""
    return ~np.isnan(feature_NF[:, 0])
