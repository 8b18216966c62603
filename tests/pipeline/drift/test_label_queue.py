from datetime import UTC, datetime

import numpy as np
import pytest

from pipeline.drift.batch_log import Kept
from pipeline.drift.label_queue import choose_queue, queue_rows
from pipeline.drift.periods import gather
from pipeline.use.prediction import Guess
from tests.pipeline.drift.test_periods import FRIDAY, batch

WHEN = datetime(2026, 11, 2, tzinfo=UTC)


def kept(huse, texts, probability, near=True):
    features, _ = huse.read_features([None] * len(texts), texts)
    vector_ND = huse.embed_features(features).fused_ND.astype(np.float16)
    return [
        Kept("", text, "Objects<clothing", probability, near, WHEN, "new.csv", row, vector_D)
        for row, (text, vector_D) in enumerate(zip(texts, vector_ND, strict=True), start=1)
    ]


def test_variants_of_one_thing_take_one_place(huse):
    variants = [f"red heart {word}" for word in ("now", "here", "too", "also", "again", "please")]
    others = ["sad cat", "old ship"]
    candidates = kept(huse, [*variants, *others], 0.3)
    queue = choose_queue(candidates, 3)
    assert {one.item.text for one in queue} >= set(others)
    # The first stands for most others.
    assert queue[0].item.text in variants
    assert [one.like_it for one in queue] == [6, 1, 1]


def test_what_the_model_is_certain_of_is_not_asked(huse):
    # Ten candidates per place are looked at.
    unsure = kept(huse, [f"strange thing {n}" for n in range(20)], 0.2)
    sure = kept(huse, ["red heart", "sad cat"], 0.99)
    queue = choose_queue([*unsure, *sure], 2)
    assert len(queue) == 2
    assert all(one.item.probability < 0.5 for one in queue)


def test_what_nothing_is_near_to_is_the_least_certain():
    batches = [batch(FRIDAY, ["sure"], near=False, probability=0.99), batch(FRIDAY, ["unsure"])]
    assert gather(batches, "week").candidates[0].text == "sure"


def test_fewer_candidates_than_places_are_all_queued(huse):
    candidates = kept(huse, ["red heart", "sad cat"], 0.99)
    assert {one.item.text for one in choose_queue(candidates, 10)} == {"red heart", "sad cat"}
    assert choose_queue([], 10) == []


def test_candidates_with_one_embedding_are_one_place(huse):
    (one,) = kept(huse, ["red heart"], 0.4)
    queue = choose_queue([one, one._replace(text="Red heart")], 10)
    assert [found.like_it for found in queue] == [2]


@pytest.mark.parametrize("near", [True, False, None])
def test_a_row_says_what_the_model_thinks(huse, near):
    (one,) = kept(huse, ["red, heart"], 0.4, near)
    one = one._replace(others=(Guess("Smileys & Emotion<heart", 0.25),))
    (row,) = queue_rows(choose_queue([one], 1))
    assert row == {
        "image": "",
        "text": "red, heart",
        "suggested": "Objects<clothing",
        "probability": "0.4000",
        "suggested_2": "Smileys & Emotion<heart",
        "probability_2": "0.2500",
        "near": {True: "yes", False: "no", None: ""}[near],
        "like_it": "1",
        "source": "new.csv, row 1, 2026-11-02",
    }
