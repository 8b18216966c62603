"""Pictures that are nearly the same: candidates by their features, then looked at.

Shape letters: R different pictures, K neighbours, P pairs, S side of a square in pixels.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from pipeline.audit.neighbours import nearest_others
from pipeline.audit.same_picture import LARGE, SMALL, difference, look_alike
from pipeline.core.cores import usable_cores
from pipeline.core.location import Location
from pipeline.pictures.decode import decode_image
from pipeline.pictures.file import UnreadableImageError, machine_trouble

PAIRS_PER_STEP = 256


class NearPairs(NamedTuple):
    """Pairs of positions, and how different they are."""

    pair_P2: np.ndarray
    """[P, 2] int64, the smaller first."""
    difference_P: np.ndarray
    """[P] float32, 0 for the same."""


class PictureFiles(NamedTuple):
    """Pictures by position; each is read when it is needed."""

    folder: Location
    names: Sequence[str]
    background: str
    """Colour under transparent pixels, `#rrggbb`."""

    def square(self, position: int, side: int) -> np.ndarray:
        """[3, S, S] uint8 of the whole picture; of one that cannot be read all zero: plain."""
        path = self.folder / self.names[position]
        try:
            with machine_trouble(path):
                found = decode_image(path, self.background, least_side=2 * side)
                scaled = found.image.resize((side, side), Image.Resampling.BILINEAR)
        except UnreadableImageError:
            return np.zeros((3, side, side), dtype=np.uint8)
        return np.asarray(scaled).transpose(2, 0, 1)


def candidate_pairs(near_RK: np.ndarray) -> np.ndarray:
    """[P, 2] int64 of [R, K] neighbours, each pair once, the smaller position first; sorted."""
    first_P = np.repeat(np.arange(len(near_RK)), near_RK.shape[1])
    pair_P2 = np.sort(np.stack([first_P, near_RK.ravel()], axis=1), axis=1)
    return np.unique(pair_P2[pair_P2[:, 0] >= 0], axis=0)


def find_near_pictures(
    read: Callable[[np.ndarray], np.ndarray], pictures: PictureFiles, neighbours: int
) -> NearPairs:
    """Find pictures that are one but for a crop, a scale, a shift and compression.

    Each is compared with its nearest by features, never all with all. A picture that has candidates
    is decoded once for a first look, and again for each pair that passes it. Small squares are in a
    temporary file, 3 KiB a picture.

    Args:
        read: From positions to features of the pictures, as `nearest_others` wants it.
        pictures: R files.
        neighbours: K, candidates per picture.

    Raises:
        InputError: Another filesystem does not answer, or this machine has run out of something.
    """
    pair_P2 = candidate_pairs(nearest_others(read, len(pictures.names), neighbours))
    with TemporaryDirectory() as folder, ThreadPoolExecutor(usable_cores()) as pool:
        small_R3SS = _small_squares(Path(folder) / "squares", pair_P2, pictures, pool)
        passed, poses = [pair_P2[:0]], [torch.empty(0, 4)]
        for step_P2 in _steps(pair_P2):
            seen_P, pose_P4 = look_alike(*(_pixels(small_R3SS[side_P]) for side_P in step_P2.T))
            passed.append(step_P2[seen_P.numpy()])
            poses.append(pose_P4[seen_P])
        pair_P2, differences = np.concatenate(passed), [np.empty(0, dtype=np.float32)]
        for step_P2, pose_P4 in zip(
            _steps(pair_P2), torch.cat(poses).split(PAIRS_PER_STEP), strict=False
        ):
            first_P3SS, second_P3SS = (
                np.stack(list(pool.map(lambda at: pictures.square(at, LARGE), side_P)))
                for side_P in step_P2.T
            )
            found_P = difference(_pixels(first_P3SS), _pixels(second_P3SS), pose_P4)
            differences.append(found_P.numpy())
    difference_P = np.concatenate(differences)
    return NearPairs(pair_P2[difference_P <= 1], difference_P[difference_P <= 1])


def _small_squares(
    path: Path, pair_P2: np.ndarray, pictures: PictureFiles, pool: ThreadPoolExecutor
) -> np.ndarray:
    """[R, 3, S, S] uint8 in a file, of the pictures that are in a pair."""
    shape = (max(len(pictures.names), 1), 3, SMALL, SMALL)
    square_R3SS = np.memmap(path, dtype=np.uint8, mode="w+", shape=shape)

    def fill(position: int) -> None:
        square_R3SS[position] = pictures.square(position, SMALL)

    for step in _steps(np.unique(pair_P2)):
        # A step at a time, as every call takes memory until it is done.
        list(pool.map(fill, step.tolist()))
    return square_R3SS


def _steps(rows: np.ndarray) -> Iterator[np.ndarray]:
    return (rows[start : start + PAIRS_PER_STEP] for start in range(0, len(rows), PAIRS_PER_STEP))


def _pixels(square_P3SS: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(square_P3SS)).float() / 255
