from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.core.vectors import vector_array
from pipeline.evaluate.evaluation_items import index_items
from pipeline.evaluate.zero_shot import (
    TextTables,
    matched_block,
    measure_zero_shot,
    zero_shot_tree,
)

NAMES = ["bags<big", "bags<small", "hats"]
HUB = "hf-hub:Marqo/marqo-fashionSigLIP"
RECIPE = {"image": {"backbone": f"open_clip/{HUB}"}, "text": {"open_clip.model": HUB}}
# Three directions in the plane, of which the classes' names are the first ends.
ANGLES = np.deg2rad([0, 90, 180])


def unit(angle_N):
    return np.stack([np.cos(angle_N), np.sin(angle_N)], axis=1).astype(np.float32)


def write(path, column, ids, vectors, **more):
    columns = {"item_id": pa.array(ids, pa.string()), **more, column: vector_array(vectors)}
    pq.write_table(pa.table(columns), path)


@pytest.fixture
def tables(write_artifacts, tmp_path):
    """Twelve test items whose pair is right, but for the picture of item 0 and the text of 1."""

    def make(images=range(12)):
        place = write_artifacts(splits=("test",))
        ids = np.array([f"item-{n}" for n in range(12)])
        angle_N = np.tile(ANGLES, 4)
        picture_N, text_N = angle_N + 0.1, angle_N - 0.1
        picture_N[0], text_N[1] = ANGLES[1], ANGLES[2]
        # Not of unit norm, as encoders give them.
        rows = list(images)
        view = {"view": pa.array([0] * len(rows), pa.int8())}
        write(place["image_features"], "vector", ids[rows], 7 * unit(picture_N)[rows], **view)
        write(place["text_features"], "open_clip", ids, 3 * unit(text_N))
        write(tmp_path / "names", "open_clip", NAMES, 5 * unit(ANGLES))
        return index_items(**place), TextTables(place["text_features"], tmp_path / "names")

    return make


def measure(items, text, **changed):
    how = {"queries": torch.arange(len(items.test)), "k": [1, 3], **changed}
    return measure_zero_shot(items, RECIPE, text, NAMES, **how)


@pytest.mark.parametrize(
    ("image", "text", "block"),
    [
        ({"backbone": f"open_clip/{HUB}"}, {"open_clip.model": HUB}, "open_clip"),
        ({"backbone": f"open_clip/{HUB}"}, {"open_clip.model": f"open_clip/{HUB}"}, "open_clip"),
        ({"backbone": "open_clip/./clip"}, {"open_clip.model": "local-dir:clip"}, "open_clip"),
        ({"backbone": "open_clip/B/openai"}, {"open_clip.model": "B/openai"}, "open_clip"),
        ({"backbone": "open_clip/B/openai"}, {"open_clip.model": "B/laion"}, None),
        (
            {"backbone": "open_clip/B", "weights": "mine.pt"},
            {"open_clip.model": "B/mine.pt"},
            "open_clip",
        ),
        ({"backbone": "open_clip/B/openai", "weights": "none"}, {"open_clip.model": "B/o"}, None),
        ({"backbone": "sentence_transformers/c"}, {"sentence.model": "c"}, "sentence"),
        ({"backbone": "sentence_transformers/c"}, {"sentence.model": "d"}, None),
        ({"backbone": "packaged/efficientnet_lite0"}, {"open_clip.model": HUB}, None),
        ({"backbone": "torchvision/resnet18"}, {"glove.vectors": "x"}, None),
        ({}, {}, None),
    ],
)
def test_only_one_model_on_both_sides_is_a_pair(image, text, block):
    assert matched_block({"image": image, "text": text}) == block


def test_items_are_of_the_class_whose_name_is_nearest(tables):
    found = measure(*tables())
    assert found.model == f"open_clip/{HUB}"
    value_of = found.outcomes.value_of
    assert value_of["classification.image.accuracy"].tolist() == [0] + [1] * 11
    assert value_of["classification.text.accuracy"].tolist() == [1, 0] + [1] * 10


def test_pictures_and_texts_find_each_other_by_class(tables):
    value_of = measure(*tables()).outcomes.value_of
    # Items 0 to 11 are of classes 0, 1, 2, 0, ... Picture 0 lies among the texts of class 1. The
    # stray text 1 is nearer to the pictures of class 2 than their own are, but not the third.
    assert value_of["retrieval.image_to_text.r_at_1"].tolist() == [0, 1, 0] + 3 * [1, 1, 0]
    assert value_of["retrieval.image_to_text.r_at_3"].tolist() == [0] + 11 * [1]
    # Likewise the stray picture 0 for the texts of class 1.
    assert value_of["retrieval.text_to_image.r_at_1"].tolist() == 4 * [1, 0, 1]
    assert value_of["retrieval.text_to_image.r_at_3"].tolist() == [1, 0] + 10 * [1]


def test_a_sample_of_queries_and_items_without_a_picture_are_no_mistakes(tables):
    found = measure(*tables(images=range(1, 12)), queries=torch.tensor([0, 2]))
    # Items that lack one modality are not evaluated where others have both.
    assert len(found.outcomes.item_ids) == 11
    hit_N = found.outcomes.value_of["retrieval.text_to_image.r_at_1"]
    assert np.flatnonzero(~np.isnan(hit_N)).tolist() == [0, 2]


def test_figures_stand_beside_the_trained_models_with_intervals(tables):
    found = measure(*tables())
    ones = {name: np.ones(12) for name in found.outcomes.value_of} | {"other": np.ones(12)}
    trained = replace(found.outcomes, value_of=ones)
    tree = zero_shot_tree(found, trained)
    assert set(tree["figures"]) == set(found.outcomes.value_of)
    row = tree["figures"]["classification.image.accuracy"]
    assert row["zero_shot"] == pytest.approx(11 / 12)
    assert row["model"] == 1
    assert row["difference"] == pytest.approx(1 / 12)
    assert row["interval"][0] <= row["difference"] <= row["interval"][1]
    # Six groups are too few to be sure of anything.
    assert not row["certain"]


def test_there_is_nothing_without_a_pair_or_without_pictures(tables):
    items, text = tables()
    other = RECIPE | {"text": {"glove.vectors": "x"}}
    how = {"queries": torch.arange(12), "k": [1]}
    assert measure_zero_shot(items, other, text, NAMES, **how) is None
    assert measure(*tables(images=[])) is None


def test_names_of_other_classes_are_refused(tables):
    items, text = tables()
    with pytest.raises(InputError, match="run stages text_block and text_features again"):
        measure_zero_shot(
            items, RECIPE, text, [*NAMES[:2], "shoes"], queries=torch.arange(12), k=[1]
        )
