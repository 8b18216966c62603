import numpy as np

from pipeline.text_features.engines.local import encode_local


class Lengths:
    def encode(self, texts):
        return np.array([[len(text), len(texts)] for text in texts], dtype=np.float32)


def test_chunks_are_encoded_one_by_one_in_their_order():
    blocks = encode_local(Lengths(), [["a", "bb"], ["ccc"]])
    assert [block.tolist() for block in blocks] == [[[1, 2], [2, 2]], [[3, 1]]]
