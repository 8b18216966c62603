import json
import shutil

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from pipeline.core.errors import InputError
from pipeline.encoders.text.transformer import Encoder, Settings
from tests.fresh_process import modules_after

TEXTS = ["red shirt", "", "blue hats with silk", "  ", "wool", "red red red shoe"]
LONG = "red blue shirt hat silk wool with a shoe red blue shirt hat"


@pytest.fixture
def make(bert, tmp_path):
    def build(fitted_on=None, **changed):
        """The encoder as a stage makes it; networks are kept in a folder of the test's own."""
        settings = {
            "model": str(bert),
            "input": "text",
            "layers": 2,
            "combine": "concat",
            "special_tokens": False,
            "max_tokens": 512,
            "keep": "first",
            "batch_size": 2,
            "device": "cpu",
            "precision": "fp32",
        }
        settings = Settings(**settings | changed)
        return Encoder.fit(fitted_on or [], fitted_on or [], settings, tmp_path / "cache")

    return build


def by_hand(folder, text, *, layers, combine, special_tokens):
    """One text alone through the library, token by token."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    batch = tokenizer(text, return_tensors="pt", truncation=True)
    with torch.no_grad():
        states = model(**batch, output_hidden_states=True).hidden_states
    means = []
    for state in states[len(states) - layers :]:
        rows = list(state[0])
        if not special_tokens:
            rows = rows[1:-1]
        means.append(sum(rows) / len(rows))
    return (torch.cat(means) if combine == "concat" else sum(means) / len(means)).numpy()


@pytest.mark.parametrize("combine", ["concat", "mean"])
@pytest.mark.parametrize("special_tokens", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
def test_features_are_means_over_tokens_of_the_last_layers(
    make, bert, combine, special_tokens, layers
):
    kind = {"combine": combine, "special_tokens": special_tokens, "layers": layers}
    found = make(**kind).encode(TEXTS)
    assert found.shape == (6, 16 * layers if combine == "concat" else 16)
    assert found.dtype == np.float32
    for text, vector_E in zip(TEXTS, found, strict=True):
        if text.strip():
            np.testing.assert_allclose(vector_E, by_hand(bert, text, **kind), atol=2e-6)
        else:
            assert not vector_E.any()


def test_a_long_text_is_cut_to_what_the_model_takes(make, bert):
    kind = {"layers": 2, "combine": "concat", "special_tokens": False}
    # The model takes 12 tokens, so [CLS], ten words and [SEP]; the library cuts there too.
    np.testing.assert_allclose(make().encode([LONG])[0], by_hand(bert, LONG, **kind), atol=2e-6)
    # Four tokens: [CLS], two words, [SEP].
    short = make(max_tokens=4).encode([LONG])[0]
    np.testing.assert_allclose(short, by_hand(bert, "red blue", **kind), atol=2e-6)


def test_a_long_text_keeps_its_most_salient_tokens(make, bert):
    train = ["red shirt", "red hat", "red silk", "blue shirt"]
    encoder = make(fitted_on=train, keep="salient", max_tokens=4)
    # red is in 3 of 4 texts, silk and blue in one each: of equal ones the first are kept.
    kind = {"layers": 2, "combine": "concat", "special_tokens": False}
    found = encoder.encode(["red shirt blue silk"])[0]
    np.testing.assert_allclose(found, by_hand(bert, "blue silk", **kind), atol=2e-6)


def test_the_batch_does_not_matter(make):
    alone, together = make(batch_size=1).encode(TEXTS), make(batch_size=6).encode(TEXTS)
    np.testing.assert_allclose(alone, together, atol=2e-6)


def test_bf16_is_close(make):
    full, half = make().encode(TEXTS), make(precision="bf16").encode(TEXTS)
    assert (full != half).any()
    np.testing.assert_allclose(full, half, atol=0.05)


def test_the_fingerprint_tells_features_apart_and_not_how_fast_they_are_made(make):
    assert make(batch_size=4).fingerprint == make().fingerprint
    changes = {"layers": 1, "combine": "mean", "special_tokens": True}
    found = {make(**{name: value}).fingerprint for name, value in changes.items()}
    assert len(found | {make().fingerprint, make(precision="bf16").fingerprint}) == 5
    assert make(precision="auto").fingerprint == make().fingerprint


def test_a_text_is_seen_as_the_tokens_that_are_kept(make):
    whole = make()
    # Lower case and blanks are the tokenizer's; the model takes ten words.
    assert len(set(whole.seen(["Red  shirt", "red shirt", " red shirt"]))) == 1
    assert len(set(whole.seen([LONG, f"{LONG} wool"]))) == 1
    assert len(set(whole.seen(["red shirt", "shirt red", "red shirts", ""]))) == 4
    assert len(set(whole.seen(["", " \n"]))) == 1
    assert whole.seen([]) == []
    # Of short texts all tokens are kept, whatever the settings, of long ones others.
    for changed in ({"max_tokens": 4}, {"keep": "salient", "fitted_on": TEXTS, "max_tokens": 6}):
        other = make(**changed)
        assert other.fingerprint == whole.fingerprint
        assert other.seen(["red hat", "wool"]) == whole.seen(["red hat", "wool"])
        assert other.seen([LONG]) != whole.seen([LONG])


def test_another_text_in_training_changes_only_what_is_cut_otherwise(make):
    kind = {"keep": "salient", "max_tokens": 4}
    before = make(fitted_on=["red shirt", "blue hat"], **kind)
    after = make(fitted_on=["red shirt", "blue hat", "red wool"], **kind)
    assert (before._idf_V != after._idf_V).any()
    assert before.fingerprint == after.fingerprint
    short, cut_alike, cut_otherwise = "silk hat", "wool wool silk hat", "red shirt blue silk"
    assert before.seen([short, cut_alike]) == after.seen([short, cut_alike])
    assert before.seen([cut_otherwise]) != after.seen([cut_otherwise])


def test_more_layers_than_the_model_has_are_refused(make):
    with pytest.raises(InputError, match=r"layers: got 4, but text model .* has 3"):
        make(layers=4)


def refuse(encoder):
    """What takes the place of a model's parts where it has none."""
    raise KeyError("no fast tokenizer")


def library(encoder):
    """The same encoder with its library loaded."""
    loaded = Encoder(encoder.settings)
    loaded._idf_V = encoder._idf_V
    return loaded


@pytest.mark.parametrize("combine", ["concat", "mean"])
@pytest.mark.parametrize("special_tokens", [False, True])
@pytest.mark.parametrize("keep", ["first", "salient"])
def test_the_network_gives_what_the_library_gives(make, tmp_path, combine, special_tokens, keep):
    kind = {"combine": combine, "special_tokens": special_tokens, "keep": keep, "max_tokens": 6}
    encoder = make(fitted_on=TEXTS, **kind)
    assert encoder.network is not None
    texts = [*TEXTS, LONG, "Red SHIRTS [SEP] of wool", LONG.upper(), "?"]
    expected = library(encoder)
    assert np.abs(encoder.encode(texts) - expected.encode(texts)).max() < 1e-5
    assert encoder.seen(texts) == expected.seen(texts)
    assert encoder.fingerprint == expected.fingerprint
    encoder.save(tmp_path / "encoder")
    loaded = Encoder.load(tmp_path / "encoder")
    assert np.array_equal(loaded.encode(texts), encoder.encode(texts))
    assert loaded.encode([]).shape == (0, encoder.encode(texts).shape[1])


def test_the_packaged_models_network_gives_what_the_library_gives(make):
    written = "Chloé's long-sleeved BLACK dress &amp; boots, size 38 <b> 猫 😀 [MASK]"
    words = written.split()
    texts = [" ".join(words[n % 7 :] * (n % 60)) for n in range(1, 90)]
    kind = {"keep": "salient", "model": "packaged/all_minilm_l6_v2", "layers": 4, "max_tokens": 512}
    encoder = make(fitted_on=texts, **kind)
    expected = library(encoder)
    assert np.abs(encoder.encode(texts) - expected.encode(texts)).max() < 1e-5
    assert encoder.seen(texts) == expected.seen(texts)


@pytest.mark.parametrize("change", [{"padding_side": "left"}, {"pad_token": None}])
def test_what_texts_are_filled_up_with_does_not_matter(make, bert, tmp_path, change):
    folder = tmp_path / "model"
    shutil.copytree(bert, folder)
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    encoder = make(model=str(folder))
    assert encoder.network is not None
    np.testing.assert_allclose(encoder.encode(TEXTS), make().encode(TEXTS), atol=2e-6)


def test_what_is_fitted_is_the_same_with_the_network_and_without(make, monkeypatch):
    by_network = make(fitted_on=TEXTS, keep="salient")
    monkeypatch.setattr(Encoder, "_parts", refuse)
    without = make(fitted_on=TEXTS, keep="salient", layers=1)
    assert (by_network.network is None, without.network is None) == (False, True)
    assert np.array_equal(by_network._idf_V, without._idf_V)


def test_a_model_that_cannot_be_exported_works_with_its_library(make, tmp_path, monkeypatch):
    monkeypatch.setattr(Encoder, "_parts", refuse)
    encoder = make(fitted_on=TEXTS, keep="salient", max_tokens=4)
    encoder.save(tmp_path / "encoder")
    assert json.loads((tmp_path / "encoder" / "encoder.json").read_text())["network"] is None
    loaded = Encoder.load(tmp_path / "encoder")
    assert loaded.network is None
    # Other texts share a forward pass, so the last bits differ.
    found, expected = (one.encode([*TEXTS, LONG]) for one in (loaded, encoder))
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert encoder.maker()().seen([LONG]) == encoder.seen([LONG])


def test_an_encoder_with_a_network_travels_whole(make, bert, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(bert, folder)
    encoder = make(fitted_on=TEXTS, keep="salient", max_tokens=4, model=str(folder))
    shutil.rmtree(folder)
    arrived = encoder.maker()()
    assert np.array_equal(arrived.encode([*TEXTS, LONG]), encoder.encode([*TEXTS, LONG]))


def test_where_the_library_runs_the_network_is_for_new_texts(make, tmp_path):
    encoder = make(fitted_on=TEXTS, precision="bf16")
    assert encoder.network is not None
    assert np.array_equal(encoder.encode(TEXTS), library(encoder).encode(TEXTS))
    encoder.save(tmp_path / "encoder")
    found = Encoder.load(tmp_path / "encoder").encode(TEXTS)
    assert np.abs(found - make(precision="fp32").encode(TEXTS)).max() < 1e-5
    assert np.array_equal(encoder.maker()().encode(TEXTS), encoder.encode(TEXTS))


def test_neither_torch_nor_the_library_is_imported_once_there_is_a_network(make, tmp_path):
    encoder = make(fitted_on=TEXTS, keep="salient")
    encoder.save(tmp_path / "encoder")
    code = f"""
from pathlib import Path
from pipeline.encoders.text.transformer import Encoder, Settings
Encoder.load(Path({str(tmp_path / "encoder")!r})).encode(["red shirt"])
settings = Settings(**{encoder.settings.model_dump()!r})
Encoder.fit(["red"], ["red"], settings, Path({str(tmp_path / "cache")!r})).encode(["red"])
"""
    assert not modules_after(code) & {"torch", "transformers", "sentence_transformers", "pandas"}


def test_other_weights_under_the_same_name_are_refused(make, bert, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(bert, folder)
    Encoder(make(model=str(folder)).settings).save(tmp_path / "encoder")
    model = AutoModel.from_pretrained(folder)
    with torch.no_grad():
        model.embeddings.LayerNorm.weight += 1
    model.save_pretrained(folder)
    with pytest.raises(InputError, match="not the one that this was made with"):
        Encoder.load(tmp_path / "encoder")


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_that_lacks_a_file_is_named_in_one_line(make, bert, tmp_path, missing):
    folder = tmp_path / "model"
    shutil.copytree(bert, folder)
    (folder / missing).unlink()
    with pytest.raises(InputError) as caught:
        make(model=str(folder))
    assert str(caught.value).startswith(f"text model {folder}: cannot be loaded")
    assert "\n" not in str(caught.value)
