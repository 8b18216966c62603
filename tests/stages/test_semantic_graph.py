import json

import numpy as np
import pytest


def rename_class(shop, old, new):
    table = (shop.root / "catalog.csv").read_text(encoding="utf-8")
    (shop.root / "catalog.csv").write_text(table.replace(old, new), encoding="utf-8")
    assert shop.huse("catalog").exit_code == 0


def graph_notes(shop):
    return json.loads((shop.root / "data" / "graph" / "classes.json").read_text(encoding="utf-8"))


def test_a_class_without_any_known_word_is_named_with_what_to_do(shop):
    rename_class(shop, ",jewelry", ",xyzzyq<plughqq")
    message = shop.refuse("semantic_graph")
    assert message.startswith("class 'xyzzyq < plughqq': no word of the name has a word vector;")
    assert "rename the class" in message
    assert "graph.glove.vectors" in message


def test_an_unknown_word_beside_known_ones_is_noted(shop):
    rename_class(shop, "shoes<boots", "shoes<xyzzyq boots")
    result = shop.huse("semantic_graph")
    assert result.exit_code == 0, result.output
    assert "4 classes; words without a vector: xyzzyq" in result.stdout
    assert graph_notes(shop)["words_without_vector"] == ["xyzzyq"]


def test_classes_with_the_same_words_are_noted(shop):
    rename_class(shop, "shoes<boots", "knitwear<clothing<Sweater")
    assert shop.huse("semantic_graph").exit_code == 0
    assert graph_notes(shop)["same_embedding"] == [
        ["clothing<knitwear<sweater", "knitwear<clothing<Sweater"]
    ]


def test_related_classes_are_nearer_than_unrelated_ones(shop):
    rename_class(shop, "shoes<boots", "shoes<boots")
    assert shop.huse("semantic_graph").exit_code == 0
    names = graph_notes(shop)["classes"]
    assert names == ["clothing<dress", "clothing<knitwear<sweater", "jewelry", "shoes<boots"]
    adjacency_KK = np.load(shop.root / "data" / "graph" / "adjacency.npy")
    assert adjacency_KK[0, 1] < adjacency_KK[0, 2]


def test_a_leaf_without_a_known_word_is_read_by_the_part_above_it(shop):
    shop.set({"graph.of": "leaf"})
    rename_class(shop, "shoes<boots", "shoes<xyzzyq")
    result = shop.huse("semantic_graph")
    assert result.exit_code == 0, result.output
    assert "classes read by a part above them: 1" in result.stdout
    assert graph_notes(shop)["read_by_a_part_above"] == {"shoes < xyzzyq": "shoes"}


@pytest.mark.parametrize("encoder", ["path", "blend"])
def test_other_encoders_are_chosen_by_one_parameter(shop, encoder):
    shop.set({"graph.encoder": encoder})
    rename_class(shop, "shoes<boots", "knitwear<clothing<Sweater")
    assert shop.huse("semantic_graph").exit_code == 0
    notes = graph_notes(shop)
    assert notes["encoder"] == encoder
    # The words are the same, the places in the tree are not.
    assert notes["same_embedding"] == []
