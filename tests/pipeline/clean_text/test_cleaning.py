import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.clean_text.cleaning import Cleaning, write_featurizer_file
from pipeline.core.errors import InputError

KINDS = [
    Cleaning.choose("letters", fold_accents=True),
    Cleaning.choose("none", fold_accents=False),
    Cleaning.choose(["lower", "stem"], fold_accents=True),
    Cleaning.choose(["lower"], fold_accents=False),
    Cleaning.choose("letters", fold_accents=True, boilerplate=["free shipping", "\u9001\u6599, x"]),
    # A model of an earlier version.
    Cleaning("letters", fold_accents=True, golden=None),
]


def test_it_cleans_with_its_settings():
    assert Cleaning.choose(["lower"], fold_accents=True)(["Chloé"]) == ["chloe"]
    assert Cleaning.choose(["lower"], fold_accents=False)(["Chloé"]) == ["chloé"]


def test_boilerplate_is_left_out_of_what_encoders_read():
    cleaning = Cleaning.choose("letters", fold_accents=True, boilerplate=["free shipping here"])
    texts = ["Red dress. Free SHIPPING here!", "Free shipping here", "A hat. New."]
    assert cleaning.said(texts) == ["Red dress.", *texts[1:]]
    assert cleaning(texts) == ["red dress", "free shipping", "hat new"]
    assert KINDS[0].said(texts) == texts


@pytest.mark.parametrize("cleaning", KINDS)
def test_metadata_of_a_table_tell_it_all(cleaning):
    assert all(isinstance(value, str) for value in cleaning.metadata.values())
    noted = {**cleaning.metadata, "glove.vectors": "x"}
    assert Cleaning.from_metadata(noted, Path("clean.parquet")) == cleaning


@pytest.mark.parametrize(
    "changed",
    [{"recipe": None}, {"fold_accents": None}, {"golden_text": "{"}, {"golden_text": '{"a": 1}'}],
)
def test_a_table_of_something_else_is_named(changed):
    noted = KINDS[0].metadata | changed
    noted = {key: value for key, value in noted.items() if value is not None}
    with pytest.raises(InputError, match=r"^clean\.parquet: .*run stage clean_text again$"):
        Cleaning.from_metadata(noted, Path("clean.parquet"))


def test_a_table_of_an_earlier_version_does_not_tell_what_cleaned_it():
    noted = {"recipe": "letters", "fold_accents": "true"}
    assert Cleaning.from_metadata(noted, Path("clean.parquet")) == KINDS[-1]


@pytest.mark.parametrize("cleaning", KINDS)
def test_the_featurizers_file_tells_it_all_in_the_order_of_the_blocks(tmp_path, cleaning):
    write_featurizer_file(tmp_path, cleaning, {"tfidf": "clean_text", "glove": "clean_text"})
    stored = json.loads((tmp_path / "text_encoder.json").read_text())
    assert list(stored["blocks"]) == ["tfidf", "glove"]
    assert Cleaning.from_json(stored) == cleaning


def test_other_words_than_then_are_refused_where_an_encoder_reads_them(tmp_path):
    cleaning = KINDS[2]
    other = replace(cleaning.golden, clean_text="poni", versions={"nltk": "3.0"})
    older = replace(cleaning, golden=other)
    with pytest.raises(InputError) as caught:
        older.check({"sentence": "text", "glove": "clean_text"}, tmp_path / "x.json")
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/x.json: the texts were cleaned with nltk 3.0; here ")
    assert "gives other words, 'these' for 'poni'" in message
    assert "install the versions of then" in message
    assert "\n" not in message
    older.check({"sentence": "text"}, tmp_path)
    for kind in KINDS:
        kind.check({"glove": "clean_text"}, tmp_path)
