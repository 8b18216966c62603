import numpy as np
import pytest

from pipeline.text_features.engines import ENGINES
from tests.examples import example
from tests.feature_tables import read_vectors


@pytest.fixture
def cleaned(shop):
    """A shop with clean texts, one of them without any word that GloVe knows."""
    table = (shop.root / "catalog.csv").read_text(encoding="utf-8")
    (shop.root / "catalog.csv").write_text(
        table.replace("red sweater", "Xyzzyq Plughqq"), encoding="utf-8"
    )
    assert shop.huse("catalog").exit_code == 0
    assert shop.huse("clean_text").exit_code == 0
    return shop


def block(project, name):
    return read_vectors(project.root / "data" / "text_blocks" / name / "block.parquet", name)[1]


def test_a_text_without_a_known_word_gets_a_zero_vector_and_is_counted(cleaned):
    result = cleaned.huse("text_block", "glove")
    assert result.exit_code == 0, result.output
    assert "text_block: glove: 16 texts, 50 features; 1 text without any" in result.stdout
    assert np.flatnonzero(~block(cleaned, "glove").any(axis=1)).tolist() == [0]


def test_without_a_name_every_encoder_of_the_parameters_runs(cleaned):
    cleaned.set({"text.encoders": ["glove", "tfidf"], "text.tfidf.svd": 3})
    cleaned.huse("text_block")
    assert block(cleaned, "glove").shape == (16, 50)
    assert block(cleaned, "tfidf").shape == (16, 3)


def test_a_network_runs_where_the_machine_says_and_the_words_of_glove_here(cleaned, monkeypatch):
    cleaned.set({"machine.engine": "ray"})
    ran = []
    local = ENGINES["local"]
    monkeypatch.setitem(ENGINES, "ray", lambda *given: ran.append(given[1]) or local(*given))
    assert cleaned.huse("text_block", "glove").exit_code == 0
    assert ran == []
    assert cleaned.huse("text_block", "sentence").exit_code == 0
    assert [len(chunk) for chunks in ran for chunk in chunks] == [16, 4]


def test_unknown_word_vectors_are_named_with_the_known_ones(cleaned):
    cleaned.set({"text.glove.vectors": "packaged/glove_1t"})
    message = cleaned.refuse("text_block")
    assert "'packaged/glove_1t': unknown; known: packaged/glove_6b_50d" in message


def test_an_encoder_that_there_is_not_is_named_with_the_known_ones(cleaned):
    assert "unknown text encoder 'word2vec'; known: glove" in cleaned.refuse(
        "text_block", "word2vec"
    )


def test_a_new_row_costs_only_itself_though_it_makes_other_tokens_rarer(cleaned):
    """Of short texts the transformer sees all tokens, whatever is rare."""
    assert cleaned.huse("text_block", "transformer").exit_code == 0
    before = block(cleaned, "transformer")
    with (cleaned.root / "catalog.csv").open("a", encoding="utf-8") as table:
        table.write("0.png,a warm red coat of wool,clothing<coat\n")
    for stage in ("catalog", "clean_text"):
        assert cleaned.huse(stage).exit_code == 0
    output = cleaned.huse("text_block", "transformer").stdout
    assert "17 texts" in output
    assert "16 taken from an earlier run" in output
    after = {tuple(row) for row in block(cleaned, "transformer").tolist()}
    assert {tuple(row) for row in before.tolist()} < after


def test_a_text_encoder_is_one_file_and_its_lines_of_params_yaml(project):
    name = "pipeline/encoders/text/letter_groups.py"
    (project.root / name).write_text(example(name), encoding="utf-8")
    own = {"letters": 3, "size": 32}
    project.set({"text.encoders": ["glove", "letter_groups"], "text.letter_groups": own})
    project.succeed("dvc", "repro", "text_features")
    counts = block(project, "letter_groups")
    assert counts.shape[1] == 32
    assert counts.sum() > 0
    encoder = project.root / "data" / "features" / "text_encoder" / "letter_groups"
    assert (encoder / "encoder.json").exists()
    # Its section is checked like every other.
    project.set({"text.letter_groups": {"letters": 3, "sise": 32}})
    wrong = project.run("python", "-m", "stages.text_block", "letter_groups")
    assert "text.letter_groups.sise: unknown key; did you mean size?" in wrong.stderr
