import numpy as np
import onnx
import pytest

from pipeline.core.errors import InputError
from pipeline.encoders.text.sentence import Encoder, Settings
from pipeline.encoders.text_network import (
    TextFacts,
    load_text_network,
    padding_of,
    unpack_text_network,
)
from pipeline.encoders.token_batches import Padding
from tests.fresh_process import modules_after

TEXTS = ["", "red shirt", "blue hats with silk", "wool " * 40, " "]
HOW = {"input": "text", "batch_size": 2, "device": "cpu", "precision": "fp32"}


@pytest.fixture
def fitted(sentence_model, tmp_path):
    return Encoder.open(Settings(model=str(sentence_model), **HOW), tmp_path / "cache")


@pytest.fixture
def folder(fitted, tmp_path):
    fitted.save(tmp_path / "encoder")
    return tmp_path / "encoder"


def test_a_stored_encoder_gives_the_features_it_was_stored_with(fitted, folder):
    loaded = Encoder.load(folder)
    assert loaded.network is not None
    found = loaded.encode(TEXTS)
    assert np.array_equal(found, fitted.encode(TEXTS))
    library = Encoder(fitted.settings)
    assert np.abs(found - library.encode(TEXTS)).max() < 1e-5
    assert not found[[0, -1]].any()
    assert loaded.encode([""]).shape == (1, found.shape[1])


def test_texts_are_encoded_in_batches(folder):
    network = Encoder.load(folder).network
    whole = network.encode(TEXTS[1:4], 32)
    assert np.abs(network.encode(TEXTS[1:4], 1) - whole).max() < 1e-6
    assert np.array_equal(network.encode(TEXTS[1:4], 32), whole)


def test_what_was_loaded_can_be_stored_again(folder, tmp_path):
    Encoder.load(folder).save(tmp_path / "again")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["encoder.json", "network.onnx", "network.weights", "tokenizer.json"]
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("name", ["network.onnx", "network.weights", "tokenizer.json"])
def test_a_damaged_or_missing_file_is_told(folder, name):
    (folder / name).write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"damaged text model .*dvc repro --force text_block"):
        Encoder.load(folder)
    (folder / name).unlink()
    with pytest.raises(InputError, match="damaged text model"):
        Encoder.load(folder)


def test_foreign_facts_are_told(folder):
    assert load_text_network(folder, None) is None
    with pytest.raises(InputError, match="not the facts of a text model"):
        load_text_network(folder, {"colour": "red"})
    with pytest.raises(InputError, match="not the facts of a text model"):
        load_text_network(folder, {"dimension": 16, "clean": "with soap"})


def test_cases_and_prefixes_are_those_of_the_facts(folder):
    network = Encoder.load(folder).network
    lower = TextFacts(network.facts.dimension, lower=True)
    with_prefix = TextFacts(network.facts.dimension, prefix="a ")
    one, other = (type(network)(folder, facts) for facts in (lower, with_prefix))
    assert np.array_equal(one.encode(["red SHIRT"], 1), network.encode(["red shirt"], 1))
    assert np.array_equal(other.encode([" hat "], 1), network.encode(["a hat"], 1))


def test_a_network_of_an_earlier_version_has_its_weights_in_the_graph(folder, tmp_path):
    expected = Encoder.load(folder).encode(TEXTS)
    onnx.save(onnx.load(folder / "network.onnx"), folder / "network.onnx")
    (folder / "network.weights").unlink()
    Encoder.load(folder).save(tmp_path / "again")
    assert np.array_equal(Encoder.load(tmp_path / "again").encode(TEXTS), expected)
    assert not (tmp_path / "again" / "network.weights").exists()


def test_facts_of_a_model_of_an_earlier_version_are_read(folder):
    described = {"lower": True, "prefix": "a ", "dimension": 16}
    assert load_text_network(folder, described).facts == TextFacts(16, lower=True, prefix="a ")


def test_texts_are_cut_by_the_tokenizer_and_not_filled_up(folder):
    network = Encoder.load(folder).network
    short, long = network.tokenize(["red shirt", "wool " * 40])
    assert short.number_L.tolist() == [2, 5, 7, 3]
    assert short.special_L.tolist() == [True, False, False, True]
    assert len(long.number_L) == 12
    assert network.vocabulary() == 15
    assert padding_of(None) == Padding()


def test_a_network_travels_as_its_facts_and_files(folder):
    network = Encoder.load(folder).network
    arrived = unpack_text_network(network.pack())
    assert arrived.facts == network.facts
    assert np.array_equal(arrived.encode(TEXTS, 2), network.encode(TEXTS, 2))


def test_the_number_of_threads_changes_no_bit(monkeypatch, tmp_path):
    settings = Settings(model="packaged/all_minilm_l6_v2", **HOW)
    Encoder.open(settings, tmp_path)
    texts, found = [f"coat {n} of {'warm ' * (n % 9)} wool" for n in range(64)], []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        found.append(Encoder.open(settings, tmp_path).network.encode(texts, 32))
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_neither_torch_nor_the_library_is_imported(folder):
    code = f"""
from pathlib import Path
from pipeline.encoders.text.sentence import Encoder
Encoder.load(Path({str(folder)!r})).encode(["red shirt"])
"""
    loaded = modules_after(code)
    assert not loaded & {"torch", "transformers", "sentence_transformers", "pandas"}
