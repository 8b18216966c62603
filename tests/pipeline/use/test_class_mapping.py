from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.use import class_mapping
from pipeline.use.class_mapping import Weights, map_classes
from pipeline.use.own_tree import OwnTree
from pipeline.use.taxonomy_file import Taxonomy

WORDS = ["shoes", "flat", "bags", "bed", "ring", "binder", "gold", "jewelry", "office"]


def encode(texts):
    """Counts of words."""
    return np.array([[text.split().count(word) for word in WORDS] for text in texts], np.float32)


def taxonomy(*paths):
    nodes = list(dict.fromkeys(p[:d] for p in paths for d in range(1, len(p) + 1)))
    return Taxonomy(nodes, [str(j) for j in range(len(nodes))])


OTHER = taxonomy(
    ("shoes",), ("bed", "flat bed"), ("office", "binder ring"), ("jewelry", "ring gold")
)


def tree(items):
    """The tree of items, given as class path and title."""
    paths, texts = zip(*items, strict=True)
    return OwnTree.build(list(paths), iter([(np.arange(len(paths)), encode(texts))]))


def propose(items, encoder=encode, **options):
    return {
        mapped.parts: mapped
        for mapped in map_classes(tree(items), OTHER, encoder, **{"k": 3, **options})
    }


def test_a_node_goes_where_the_node_above_it_goes():
    items = [(("shoes", "flat"), ""), (("bags",), "")]
    found = propose(items)
    assert list(found) == [("bags",), ("shoes",), ("shoes", "flat")]
    assert found["shoes", "flat"].candidates[0].path == "shoes"
    alone = propose(items, weights=Weights(path=0, above=0))
    assert alone["shoes", "flat"].candidates[0].path == "bed > flat bed"


def test_titles_tell_names_apart():
    named = [(("ring",), ""), (("bags",), "")]
    worn = [(("ring",), "gold jewelry"), (("bags",), "")]
    by_name = {one.path: one.names for one in propose(named, k=6)["ring",].candidates}
    assert by_name["office > binder ring"] == pytest.approx(by_name["jewelry > ring gold"])
    best, *_ = propose(worn)["ring",].candidates
    assert best.path == "jewelry > ring gold"
    assert best.items > 0


def test_a_class_without_titles_goes_by_its_name_in_full():
    found = propose([(("shoes",), "")])["shoes",]
    plain = propose([(("shoes",), "")], weights=Weights(items=0))["shoes",]
    assert found == plain


def test_confidences_are_shares_and_fall():
    candidates = propose([(("ring",), "gold"), (("bags",), "")], k=9)["ring",].candidates
    shares = [one.confidence for one in candidates]
    assert len(candidates) == len(OTHER.paths)
    assert sum(shares) == pytest.approx(1)
    assert all(one >= other for one, other in pairwise(shares))


def test_items_count_at_every_node_above_them():
    items = [(("bags", "flat"), "a"), (("bags", "flat"), "b"), (("bags",), "c")]
    found = propose(items)
    assert (found["bags",].items, found["bags", "flat"].items) == (3, 2)


def test_a_node_that_is_asked_for_is_among_the_candidates():
    found = propose([(("ring",), "")], k=1, wanted={("ring",): 0})
    best, asked = found["ring",].candidates
    assert best.path != asked.path == "shoes"
    assert asked.confidence < best.confidence


def test_blocks_and_sparse_features_make_no_difference(monkeypatch):
    items = [((one, other), f"{one} gold") for one in WORDS for other in WORDS[:3]]
    whole = propose(items)
    monkeypatch.setattr(class_mapping, "BLOCK", 2)
    in_blocks = propose(items)
    sparse = propose(items, encoder=lambda texts: csr_matrix(encode(texts)))
    for other in (in_blocks, sparse):
        assert list(other) == list(whole)
        for node, mapped in whole.items():
            scores = [one.confidence for one in mapped.candidates]
            assert [one.confidence for one in other[node].candidates] == pytest.approx(scores)
