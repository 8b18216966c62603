import pytest
import torch

from pipeline.evaluate.directions import DIRECTIONS, measure_directions, paper_rule
from pipeline.metrics.neighbours import worthless_results

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
def test_recall_is_that_of_a_naive_loop_without_worthless_results(test_items, name):
    embedded, label_N = test_items
    query, gallery = DIRECTIONS[name]
    product_N, picture_N, text_N = torch.arange(30) // 2, torch.arange(30) % 7, label_N
    # To both together an item that has the same picture and the same text.
    both = [(int(p), int(t)) for p, t in zip(picture_N, text_N, strict=True)]
    content = {"image": picture_N.tolist(), "text": text_N.tolist(), "fused": both}[query]
    groups = worthless_results(product_N, picture_N, text_N)
    found = measure_directions(embedded, label_N, PARTS, k=[1, 3], hp_k=[2], groups=groups)[name]
    for n in range(30):
        allowed = [
            m
            for m in range(30)
            if query != gallery or (product_N[m] != product_N[n] and content[m] != content[n])
        ]
        order = ranking(embedded[query].embedding_ND[n], embedded[gallery].embedding_ND, allowed)
        right = [m for m in allowed if label_N[m] == label_N[n]]
        hits = [bool(set(order[:k]) & set(right)) for k in (1, 3)]
        assert found.hit_MC[n].tolist() == hits
        assert found.curve_MR[n, [0, 2]].tolist() == hits
        assert found.candidates_M[n] == len(right)
        assert found.answerable[n] == bool(right)
        assert found.chance_M[n] == pytest.approx(len(right) / len(allowed))
    # All items of a class have one text, so no text finds another one of its class.
    assert found.answerable.any() == (name != "text_to_text")


def test_the_papers_rule_leaves_out_the_query_alone_and_counts_every_query(test_items):
    embedded, label_N = test_items
    label_N = label_N.clamp(max=1)
    label_N[7] = 2  # the only one of its class: a miss within a modality
    found = paper_rule(embedded, label_N, PARTS, k=[1, 3], hp_k=[2])
    assert list(found) == ["image_to_image", "image_to_text", "text_to_image", "text_to_text"]
    for name, figures in found.items():
        query, gallery = DIRECTIONS[name]
        hits = []
        for n in range(30):
            allowed = [m for m in range(30) if query != gallery or m != n]
            order = ranking(
                embedded[query].embedding_ND[n], embedded[gallery].embedding_ND, allowed
            )
            hits.append(any(label_N[m] == label_N[n] for m in order[:3]))
        assert figures["r_at_3"] == pytest.approx(sum(hits) / 30)
        assert set(figures) == {"r_at_1", "r_at_3", "hp_at_2"}


def test_a_sample_of_queries_is_compared_with_all_items(test_items):
    embedded, label_N = test_items
    groups = worthless_results(torch.arange(30) // 2, torch.arange(30) % 7, torch.arange(30))
    chosen = {"k": [1, 3], "hp_k": [2], "groups": groups}
    everyone = measure_directions(embedded, label_N, PARTS, **chosen)
    query_M = torch.tensor([2, 11, 17, 29])
    sampled = measure_directions(embedded, label_N, PARTS, **chosen, queries=query_M)
    for name, one in sampled.items():
        assert one.query_M.tolist() == query_M.tolist()
        for part, whole in zip(one[1:-1], everyone[name][1:-1], strict=True):
            assert (torch.as_tensor(part) == torch.as_tensor(whole)[query_M]).all()
        assert (one.graded.at_MC == everyone[name].graded.at_MC[query_M]).all()
        assert (one.graded.area_M == everyone[name].graded.area_M[query_M]).all()
    papers = paper_rule(embedded, label_N, PARTS, k=[1], hp_k=[2], queries=query_M)
    alone = measure_directions(embedded, label_N, PARTS, k=[1], hp_k=[2], queries=query_M)
    for name, figures in papers.items():
        assert figures["r_at_1"] == pytest.approx(alone[name].hit_MC[:, 0].mean())


def test_without_groups_the_query_alone_is_left_out(test_items):
    embedded, label_N = test_items
    found = measure_directions(embedded, label_N, PARTS, k=[1], hp_k=[2])["image_to_image"]
    assert not (found.found_MR[:, :29] == torch.arange(30)[:, None]).any()
    assert (found.found_MR[:, :29] >= 0).all()
    assert (found.found_MR[:, 29] == -1).all()


def test_a_class_with_one_item_has_no_candidate_within_a_modality(test_items):
    embedded, label_N = test_items
    label_N = label_N.clamp(max=1)
    label_N[7] = 2
    found = measure_directions(embedded, label_N, PARTS, k=[1], hp_k=[2])
    assert (found["text_to_text"].candidates_M == 0).nonzero()[0].tolist() == [7]
    assert (found["image_to_text"].candidates_M == 0).sum() == 0


def test_directions_of_a_missing_modality_are_left_out(test_items):
    embedded, label_N = test_items
    found = measure_directions({"text": embedded["text"]}, label_N, PARTS, k=[1], hp_k=[2])
    assert set(found) == {"text_to_text"}


def lacking(one, without):
    """The same results of items of which some lack the modality."""
    embedding_ND = one.embedding_ND.clone()
    embedding_ND[without] = torch.nan
    return one._replace(embedding_ND=embedding_ND)


@pytest.mark.parametrize("name", DIRECTIONS)
def test_an_item_neither_asks_nor_is_found_by_what_it_lacks(test_items, name):
    embedded, label_N = test_items
    without = {"image": [3, 4, 20], "text": [0, 4, 29], "fused": []}
    gaps = {modality: lacking(one, without[modality]) for modality, one in embedded.items()}
    queries = torch.arange(0, 30, 2)
    found = measure_directions(gaps, label_N, PARTS, k=[1, 3], hp_k=[2], queries=queries)[name]
    query, gallery = DIRECTIONS[name]
    asked = [n for n in queries.tolist() if n not in without[query]]
    assert found.query_M.tolist() == asked
    for row, n in enumerate(asked):
        allowed = [
            m for m in range(30) if m not in without[gallery] and (query != gallery or m != n)
        ]
        order = ranking(embedded[query].embedding_ND[n], embedded[gallery].embedding_ND, allowed)
        assert found.found_MR[row, : len(order)].tolist() == order, "positions among all items"
        assert (found.found_MR[row, len(order) :] == -1).all()
        right = [m for m in allowed if label_N[m] == label_N[n]]
        assert found.candidates_M[row] == len(right)
        assert found.hit_MC[row].tolist() == [bool(set(order[:k]) & set(right)) for k in (1, 3)]


def test_the_papers_rule_counts_those_that_have_the_modality(test_items):
    embedded, label_N = test_items
    gaps = {"image": lacking(embedded["image"], [3, 4]), "text": lacking(embedded["text"], [5])}
    found = paper_rule(gaps, label_N, PARTS, k=[1], hp_k=[2])["image_to_text"]
    hits = []
    for n in set(range(30)) - {3, 4}:
        allowed = sorted(set(range(30)) - {5})
        order = ranking(embedded["image"].embedding_ND[n], embedded["text"].embedding_ND, allowed)
        hits.append(bool(label_N[order[0]] == label_N[n]))
    assert found["r_at_1"] == pytest.approx(sum(hits) / 28)
