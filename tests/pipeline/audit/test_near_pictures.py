import numpy as np
import pytest
from PIL import Image

from pipeline.audit import near_pictures as module
from pipeline.audit.near_pictures import PictureFiles, candidate_pairs, find_near_pictures


@pytest.fixture
def pictures(tmp_path):
    """Spots by seed: the third is a crop of the first as a JPEG, the fifth cannot be read."""
    for number in range(6):
        small = np.random.default_rng(number).integers(0, 255, (7, 7, 3), dtype=np.uint8)
        image = Image.fromarray(small).resize((200, 160), Image.Resampling.BICUBIC)
        image.save(tmp_path / f"{number}.png")
    with Image.open(tmp_path / "0.png") as image:
        image.crop((8, 12, 190, 155)).save(tmp_path / "2.png", "JPEG", quality=60)
    (tmp_path / "4.png").write_bytes(b"nothing")
    return PictureFiles(tmp_path, [f"{number}.png" for number in range(6)], "#ffffff")


def read(position_B):
    """Features that make every picture a candidate of every other."""
    return np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)[position_B]


@pytest.mark.parametrize("at_once", [256, 2])
def test_a_changed_copy_is_found_and_nothing_else(pictures, at_once, monkeypatch):
    monkeypatch.setattr(module, "PAIRS_PER_STEP", at_once)
    found = find_near_pictures(read, pictures, 5)
    assert found.pair_P2.tolist() == [[0, 2]]
    assert 0 < found.difference_P[0] <= 1


def test_only_pictures_of_candidates_are_read(pictures, monkeypatch):
    seen = []
    square = PictureFiles.square
    monkeypatch.setattr(
        PictureFiles, "square", lambda self, at, side: seen.append(at) or square(self, at, side)
    )
    monkeypatch.setattr(
        module, "nearest_others", lambda *_: np.array([[2], [-1], [0]] + [[-1]] * 3)
    )
    assert find_near_pictures(read, pictures, 1).pair_P2.tolist() == [[0, 2]]
    # Small for a first look, large for a second.
    assert sorted(seen) == [0, 0, 2, 2]


def test_no_candidates_are_no_pairs(pictures):
    none = pictures._replace(names=[])
    assert find_near_pictures(read, none, 5).pair_P2.shape == (0, 2)
    one = pictures._replace(names=pictures.names[:1])
    assert find_near_pictures(read, one, 5).difference_P.shape == (0,)


def test_neighbours_of_both_are_one_pair():
    near_RK = np.array([[1, 2], [0, -1], [0, 1]])
    assert candidate_pairs(near_RK).tolist() == [[0, 1], [0, 2], [1, 2]]
