import json

import numpy as np
import pytest
import torch


@pytest.fixture
def shop(shop):
    """The encoder that most tests here are about."""
    shop.set({"graph.encoder": "glove", "graph.of": "parts_mean"})
    return shop


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


def test_sentence_embeddings_make_a_graph(shop):
    shop.set({"graph.encoder": "sentence", "graph.of": "path"})
    rename_class(shop, ",jewelry", ",xyzzyq<plughqq")
    assert shop.huse("semantic_graph").exit_code == 0
    notes = graph_notes(shop)
    assert notes["settings"] == {"sentence": {"model": "packaged/all_minilm_l6_v2"}}
    assert notes["words_without_vector"] == []
    adjacency_KK = np.load(shop.root / "data" / "graph" / "adjacency.npy")
    assert 0 < adjacency_KK[0, 1] < adjacency_KK[0, 2]


def test_infersent_reads_weights_and_vectors_by_path(shop):
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(3, 4, bidirectional=True)
    weights = {f"enc_lstm.{name}": tensor for name, tensor in lstm.state_dict().items()}
    torch.save(weights, shop.root / "weights.pkl")
    words = ["clothing", "dress", "knitwear", "sweater", "jewelry", "shoes", "boots", "<s>", "</s>"]
    generator = np.random.default_rng(0)
    lines = [f"{word} {' '.join(map(str, generator.normal(size=3)))}\n" for word in words]
    (shop.root / "vectors.txt").write_text("".join(lines), encoding="utf-8")
    rename_class(shop, "sweater", "sweater")
    shop.set(
        {
            "graph.encoder": "infersent",
            "graph.infersent.weights": "weights.pkl",
            "graph.infersent.vectors": "file/vectors.txt",
        }
    )
    result = shop.huse("semantic_graph")
    assert result.exit_code == 0, result.output
    assert np.load(shop.root / "data" / "graph" / "class_embeddings.npy").shape == (4, 8)
    assert graph_notes(shop)["words_without_vector"] == []
    shop.set({"graph.infersent.vectors": "packaged/glove_6b_50d"})
    message = shop.refuse("semantic_graph")
    assert message.startswith("graph.infersent.vectors: packaged/glove_6b_50d has 50 numbers")
    shop.set({"graph.infersent.weights": "none.pkl"})
    message = shop.refuse("semantic_graph")
    assert message.startswith("graph.infersent.weights: none.pkl not found; download")


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"graph.glove.vectors": "file/none.txt"}, "none.txt"),
        ({"graph.glove.vectors": "fasttext/en"}, "fasttext/en"),
        ({"graph.encoder": "sentence", "graph.sentence.model": "./none"}, "./none"),
        (
            {
                "graph.encoder": "blend",
                "graph.blend.encoders": ["path", "transformer"],
                "graph.transformer.model": "./nothing",
            },
            "./nothing",
        ),
    ],
)
def test_a_source_that_cannot_be_used_is_named_in_one_line(shop, changed, named):
    rename_class(shop, "sweater", "sweater")
    shop.set(changed)
    message = shop.refuse("semantic_graph")
    assert named in message
    assert "\n" not in message
