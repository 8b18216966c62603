import pytest
import torch

from pipeline.evaluation.directions import DIRECTIONS, measure_directions

PARTS = [["a", "x"], ["a", "y"], ["b"]]


@pytest.fixture
def test_items(make_embedded, labels):
    label_N = labels(30, 3)
    embedded = {
        name: make_embedded(label_N, seed=seed)
        for seed, name in enumerate(("image", "text", "fused"))
    }
    return embedded, label_N


def ranking(query_D, gallery_ND, allowed):
    """Allowed gallery items, best first, in plain Python."""
    scores = [(-float(query_D @ gallery_ND[n]), n) for n in allowed]
    return [n for _, n in sorted(scores)]


@pytest.mark.parametrize("name", DIRECTIONS)
def test_recall_is_that_of_a_naive_loop_without_the_querys_group(test_items, name):
    embedded, label_N = test_items
    group_N = torch.arange(30) // 3
    query, gallery = DIRECTIONS[name]
    hits, candidates, same = [], 0, 0.0
    for n in range(30):
        allowed = [m for m in range(30) if query != gallery or group_N[m] != group_N[n]]
        order = ranking(embedded[query].embedding_ND[n], embedded[gallery].embedding_ND, allowed)
        hits.append([any(label_N[m] == label_N[n] for m in order[:k]) for k in (1, 3)])
        candidates = len(allowed)
        same += sum(bool(label_N[m] == label_N[n]) for m in allowed) / candidates
    found = measure_directions(embedded, label_N, PARTS, k=[1, 3], hp_k=[2], group_N=group_N)[name]
    assert found.recall[1] == pytest.approx(sum(one for one, _ in hits) / 30)
    assert found.recall[3] == pytest.approx(sum(three for _, three in hits) / 30)
    assert found.curve[2] == pytest.approx(found.recall[3])
    assert found.chance == pytest.approx(same / 30)


def test_without_groups_the_query_alone_is_left_out(test_items):
    embedded, label_N = test_items
    found = measure_directions(embedded, label_N, PARTS, k=[1], hp_k=[2])["image_to_image"]
    assert not (found.found_NR[:, :29] == torch.arange(30)[:, None]).any()
    assert (found.found_NR[:, :29] >= 0).all()
    assert (found.found_NR[:, 29] == -1).all()


def test_a_class_with_one_item_has_no_candidate_within_a_modality(test_items):
    embedded, label_N = test_items
    label_N = label_N.clamp(max=1)
    label_N[7] = 2
    found = measure_directions(embedded, label_N, PARTS, k=[1], hp_k=[2])
    assert (found["text_to_text"].candidates_N == 0).nonzero()[0].tolist() == [7]
    assert (found["image_to_text"].candidates_N == 0).sum() == 0


def test_directions_of_a_missing_modality_are_left_out(test_items):
    embedded, label_N = test_items
    found = measure_directions({"text": embedded["text"]}, label_N, PARTS, k=[1], hp_k=[2])
    assert set(found) == {"text_to_text"}
