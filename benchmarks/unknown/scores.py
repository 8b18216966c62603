"""Scores of strangeness, the greater the stranger.

Shape letters: N items, R references, M training items, A all features, F features that judge,
K classes, J neighbours, D embedding.
"""

import numpy as np
import torch
from scipy.special import logsumexp

from benchmarks.unknown.scenes import HALVES, Scene
from pipeline.model.model_file import load_model

Values = dict[str, np.ndarray]
"""[N] scores of `val`, `test` and every kind of others."""
NEIGHBOURS = 100
ROWS = 512
COMPONENTS = 128
"""Of the principal space of ViM."""
RIDGE = 1e-3
"""Share of the mean variance that is added to every direction of a covariance."""
KERNELS = ((0.25, 0.1), (0.5, 0.2))
"""Share of the mean that is taken off the features, and width of the kernel in limits."""
DISTANCE, TO_NAMES = "distance", "distance to titles, else to class names"


class Frozen:
    """What is compared by the frozen features of one part."""

    def __init__(self, scene: Scene, part: str) -> None:
        """Take the features."""
        owns = {"val": scene.val, "test": scene.test}
        self.queries = {name: scene.judged(part, own.features[part]) for name, own in owns.items()}
        self.queries |= {
            name: scene.judged(part, features[part])
            for name, features in scene.others.items()
            if part in features
        }
        self.train_MF = scene.judged(part, scene.train.features[part])
        self.label_M = scene.train.label_N
        self.unit_RF = scene.judged(part, scene.references.features[part])
        self._reference_sets = scene.references.sets[part]
        self._sets = {name: own.sets[part] for name, own in owns.items()}
        self._sets["references"] = self._reference_sets
        if part == "text":
            self._sets[HALVES] = scene.test.sets[part]
        self.name_PF = None
        if part == "text" and scene.name_PA is not None:
            self.name_PF = scene.judged(part, scene.name_PA)

    def nearest(
        self, name: str, query_NF: np.ndarray, reference_RF: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """[N, J] cosine distances to the nearest references and their rows; own ones left out."""
        sets = self._sets.get(name, [])
        found = []
        for start in range(0, len(query_NF), ROWS):
            part = slice(start, start + ROWS)
            distance_BR = 1 - query_NF[part] @ reference_RF.T
            for set_N, set_R in zip(sets, self._reference_sets if sets else [], strict=True):
                distance_BR[set_N[part, None] == set_R] = np.inf
            row_BJ = np.argpartition(distance_BR, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
            near_BJ = np.take_along_axis(distance_BR, row_BJ, axis=1)
            order_BJ = np.argsort(near_BJ, axis=1)
            sorted_BJ = np.take_along_axis(near_BJ, order_BJ, axis=1)
            found.append((np.maximum(sorted_BJ, 0), np.take_along_axis(row_BJ, order_BJ, axis=1)))
        distances, rows = zip(*found, strict=True)
        return np.concatenate(distances), np.concatenate(rows)


def frozen_scores(scene: Scene, part: str) -> dict[str, Values]:
    """Scores by the frozen features alone, by name."""
    frozen = Frozen(scene, part)
    near = {
        name: frozen.nearest(name, query_NF, frozen.unit_RF)
        for name, query_NF in frozen.queries.items()
    }
    found = {DISTANCE: {name: distance_NJ[:, 0] for name, (distance_NJ, _) in near.items()}}
    limit = float(np.quantile(found[DISTANCE]["val"], 0.98, method="higher"))
    if frozen.name_PF is not None:
        found[TO_NAMES] = {
            name: _or_to_names(found[DISTANCE][name], query_NF @ frozen.name_PF.T, limit)
            for name, query_NF in frozen.queries.items()
        }
    for j in (5, 10, 50):
        found[f"distance to neighbour {j}"] = {name: d[:, j - 1] for name, (d, _) in near.items()}
    found["mean distance to 5"] = {name: d[:, :5].mean(axis=1) for name, (d, _) in near.items()}
    own_RJ, _ = frozen.nearest("references", frozen.unit_RF, frozen.unit_RF)
    found["distance / the neighbours' own, 10"] = {
        name: d[:, :10].mean(axis=1) / (own_RJ[row[:, :10], 9].mean(axis=1) + 1e-3)
        for name, (d, row) in near.items()
    }
    for share, width in KERNELS:
        found[f"kernel {width:g}, less {share:g} of the mean"] = _kernel(
            frozen, share, width * limit
        )
    return found | _mahalanobis(frozen)


def _or_to_names(distance_N: np.ndarray, similarity_NP: np.ndarray, limit: float) -> np.ndarray:
    """As `Huse.near` does: names are asked about what is far from every title."""
    to_name_N = np.maximum(1 - similarity_NP.max(axis=1), 0)
    return np.where(distance_N <= limit, distance_N, np.minimum(distance_N, to_name_N))


def _kernel(frozen: Frozen, share: float, width: float) -> Values:
    """Soft minimum of the distances between features less a share of their mean."""
    mean_F = share * frozen.unit_RF.mean(axis=0)
    shifted_RF = _unit(frozen.unit_RF - mean_F)
    return {
        name: -width
        * logsumexp(-frozen.nearest(name, _unit(query_NF - mean_F), shifted_RF)[0] / width, axis=1)
        for name, query_NF in frozen.queries.items()
    }


def _mahalanobis(frozen: Frozen) -> dict[str, Values]:
    """To the nearest class mean (Lee et al. 2018), and less that to all (Ren et al. 2021)."""
    train_MF = frozen.train_MF.astype(np.float64)
    mean_F = train_MF.mean(axis=0)
    row_M = np.unique(frozen.label_M, return_inverse=True)[1]
    sum_KF = np.zeros((row_M.max() + 1, train_MF.shape[1]))
    np.add.at(sum_KF, row_M, train_MF)
    mean_KF = sum_KF / np.bincount(row_M)[:, None]
    within_FF = _whitening(train_MF - mean_KF[row_M])
    all_FF = _whitening(train_MF - mean_F)
    class_KF = mean_KF @ within_FF
    to_class, relative = {}, {}
    for name, query_NF in frozen.queries.items():
        white_NF = query_NF @ within_FF
        square_NK = (white_NF**2).sum(axis=1)[:, None] + (class_KF**2).sum(axis=1)
        to_class[name] = (square_NK - 2 * white_NF @ class_KF.T).min(axis=1)
        relative[name] = to_class[name] - (((query_NF - mean_F) @ all_FF) ** 2).sum(axis=1)
    return {"Mahalanobis": to_class, "relative Mahalanobis": relative}


def _whitening(centred_MF: np.ndarray) -> np.ndarray:
    """[F, F] that makes the covariance the identity."""
    covariance_FF = centred_MF.T @ centred_MF / len(centred_MF)
    value_F, vector_FF = np.linalg.eigh(covariance_FF)
    return vector_FF / np.sqrt(np.maximum(value_F, 0) + RIDGE * value_F.mean())


def tower_scores(scene: Scene, parts: tuple[str, ...]) -> dict[str, Values]:
    """Scores by what the trained model says of one part or of both."""
    if scene.model is None:
        return {}
    queries: dict[str, dict[str, np.ndarray]] = {
        "val": scene.val.features,
        "test": scene.test.features,
        **scene.others,
    }
    given = {name: f for name, f in queries.items() if all(part in f for part in parts)}
    tower = _Towers(scene, parts)
    logits = {name: tower.logits(features) for name, features in given.items()}
    log_p = {name: l_NK - logsumexp(l_NK, axis=1)[:, None] for name, l_NK in logits.items()}
    energy = {name: -logsumexp(l_NK, axis=1) for name, l_NK in logits.items()}
    found = {
        "energy": energy,
        "greatest probability": {name: -l_NK.max(axis=1) for name, l_NK in log_p.items()},
        "entropy": {name: -(np.exp(l_NK) * l_NK).sum(axis=1) for name, l_NK in log_p.items()},
    }
    if len(parts) == 1:
        found["ViM"] = _vim(
            Frozen(scene, parts[0]), energy, tower.logits(scene.train.features).max(axis=1).mean()
        )
    return found


class _Towers:
    """Calibrated logits of one part or of both."""

    def __init__(self, scene: Scene, parts: tuple[str, ...]) -> None:
        assert scene.model is not None, "asked of trained models alone"
        self._stored = load_model(scene.model)
        self._parts = parts
        assert self._stored.fusion.rule == "product", "as params.yaml has it"

    def logits(self, features: dict[str, np.ndarray]) -> np.ndarray:
        """[N, K] float64."""
        towers, fusion = self._stored.model, self._stored.fusion
        points = {}
        with torch.inference_mode():
            for part in self._parts:
                tower = {"image": towers.image_tower, "text": towers.text_tower}[part]
                points[part] = tower(torch.from_numpy(np.float32(features[part])))
            some_ND = next(iter(points.values()))
            zero_ND = torch.zeros_like(some_ND)
            output = towers.classify(points.get("image", zero_ND), points.get("text", zero_ND))
        image_NK = output.image_logits_BK.double().numpy() / fusion.image_temperature
        text_NK = output.text_logits_BK.double().numpy() / fusion.text_temperature
        if self._parts == ("image",):
            return image_NK
        if self._parts == ("text",):
            return text_NK
        weight = fusion.image_weight
        return (weight * image_NK + (1 - weight) * text_NK) / fusion.fused_temperature


def _vim(frozen: Frozen, energy: Values, greatest: float) -> Values:
    """Energy with what lies outside the principal space as one more class (Wang et al. 2022)."""
    mean_F = frozen.train_MF.mean(axis=0)
    centred_MF = frozen.train_MF - mean_F
    vector_FF = np.linalg.eigh(centred_MF.T @ centred_MF)[1][:, :-COMPONENTS]

    def residual(feature_NF: np.ndarray) -> np.ndarray:
        return np.linalg.norm((feature_NF - mean_F) @ vector_FF, axis=1)

    scale = greatest / residual(frozen.train_MF).mean()
    return {
        name: energy_N + scale * residual(frozen.queries[name]) for name, energy_N in energy.items()
    }


def _unit(feature_NF: np.ndarray) -> np.ndarray:
    return feature_NF / np.maximum(np.linalg.norm(feature_NF, axis=1, keepdims=True), 1e-12)
