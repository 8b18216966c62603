import json

import pytest

from pipeline.text.cleaning import Cleaning, write_featurizer_file

KINDS = [
    Cleaning("letters", fold_accents=True),
    Cleaning("none", fold_accents=False),
    Cleaning(["lower", "stem"], fold_accents=True),
    Cleaning(["lower"], fold_accents=False),
]


def test_it_cleans_with_its_settings():
    assert Cleaning(["lower"], fold_accents=True)(["Chloé"]) == ["chloe"]
    assert Cleaning(["lower"], fold_accents=False)(["Chloé"]) == ["chloé"]


@pytest.mark.parametrize("cleaning", KINDS)
def test_metadata_of_a_table_tell_it_all(cleaning):
    assert all(isinstance(value, str) for value in cleaning.metadata.values())
    assert Cleaning.from_metadata({**cleaning.metadata, "glove.vectors": "x"}) == cleaning


def test_the_featurizers_file_keeps_the_order_of_the_blocks(tmp_path):
    write_featurizer_file(tmp_path, KINDS[2], {"tfidf": "clean_text", "glove": "clean_text"})
    stored = json.loads((tmp_path / "text_encoder.json").read_text())
    assert list(stored["blocks"]) == ["tfidf", "glove"]
    assert Cleaning(**stored["cleaning"]) == KINDS[2]
