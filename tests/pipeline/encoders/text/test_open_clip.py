import json
import shutil

import numpy as np
import open_clip
import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.encoders.text.open_clip import Encoder, Settings
from tests.fresh_process import modules_after

TEXTS = ["red shirt", "", "a blue hat with silk", "wool"]


def settings(model):
    how = {"input": "text", "batch_size": 2, "device": "cpu", "precision": "fp32"}
    return Settings(model=str(model), **how)


def make(model):
    """The encoder with its library loaded."""
    return Encoder(settings(model))


@pytest.fixture
def bert_clip(bert, tmp_path_factory):
    """Name of a tiny CLIP with a tokenizer of transformers, of which one token is stripped."""
    folder = tmp_path_factory.mktemp("bert_clip")
    text = {"context_length": 10, "vocab_size": 15, "width": 16, "heads": 2, "layers": 1}
    text |= {"hf_tokenizer_name": str(bert), "tokenizer_kwargs": {"strip_sep_token": True}}
    vision = {"image_size": 16, "layers": 1, "width": 64, "patch_size": 8}
    config = {"embed_dim": 8, "vision_cfg": vision, "text_cfg": text}
    (folder / "bert-test.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder / "bert-test.json")
    torch.manual_seed(0)
    model = open_clip.create_model("bert-test", pretrained=None)
    torch.save(model.state_dict(), folder / "weights.pt")
    return f"bert-test/{folder}/weights.pt"


def test_vectors_are_the_librarys(tiny_clip):
    found = make(tiny_clip).encode(TEXTS)
    assert found.shape == (4, 8)
    assert found.dtype == np.float32
    assert not found[1].any()
    architecture, _, weights = tiny_clip.partition("/")
    library = open_clip.create_model(architecture, pretrained=weights).eval()
    tokens = open_clip.get_tokenizer(architecture)([TEXTS[n] for n in (0, 2, 3)])
    with torch.no_grad():
        expected = library.encode_text(tokens).numpy()
    np.testing.assert_allclose(found[[0, 2, 3]], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("ViT-B-32", "expected architecture/pretrained"),
        ("ViT-Z-1/openai", "open_clip has no architecture ViT-Z-1"),
        ("ViT-B-32/mine.pt", r"no file mine\.pt, and ViT-B-32 has no such weights; known: openai"),
    ],
)
def test_a_name_that_open_clip_does_not_know_is_refused(model, message):
    with pytest.raises(InputError, match=message):
        make(model)


def test_damaged_weights_are_one_line(tiny_clip, tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"damaged")
    with pytest.raises(InputError, match="cannot be loaded"):
        make(f"tiny-test/{tmp_path}/weights.pt")


@pytest.mark.parametrize("clip", ["tiny_clip", "bert_clip"])
def test_the_network_gives_what_the_library_gives(clip, request, tmp_path):
    model = request.getfixturevalue(clip)
    encoder = Encoder.open(settings(model), tmp_path / "cache")
    assert encoder.network is not None
    texts = [*TEXTS, "Red SHIRT &amp; hat " * 40, "Chloé's 猫 😀 <end_of_text>", "a_b", "!"]
    expected = make(model)
    found = encoder.encode(texts)
    assert np.abs(found - expected.encode(texts)).max() < 1e-5
    assert encoder.fingerprint == expected.fingerprint
    encoder.save(tmp_path / "encoder")
    assert np.array_equal(Encoder.load(tmp_path / "encoder").encode(texts), found)


def test_only_the_text_side_is_stored(tiny_clip, tmp_path):
    encoder = Encoder.open(settings(tiny_clip), tmp_path / "cache")
    encoder.save(tmp_path / "encoder")
    files = [tmp_path / "encoder" / name for name in ("network.onnx", "network.weights")]
    text, whole = sum(path.stat().st_size for path in files), 0
    for name, tensor in encoder_weights(tiny_clip):
        whole += 0 if name.startswith("visual.") else tensor.numel() * 4
    assert whole < text < 1.1 * whole + 100_000


def encoder_weights(model):
    return torch.load(model.partition("/")[2], weights_only=True).items()


def test_neither_torch_nor_the_library_is_imported_once_there_is_a_network(tiny_clip, tmp_path):
    Encoder.open(settings(tiny_clip), tmp_path / "cache").save(tmp_path / "encoder")
    code = f"""
from pathlib import Path
from pipeline.encoders.text.open_clip import Encoder
Encoder.load(Path({str(tmp_path / "encoder")!r})).encode(["red shirt"])
"""
    assert not modules_after(code) & {"torch", "transformers", "open_clip", "pandas"}


def test_a_model_is_told_by_its_name_its_description_and_its_weights(tmp_path):
    (tmp_path / "weights.pt").write_bytes(b"weights")
    mine = f"ViT-B-32/{tmp_path}/weights.pt"
    told = {
        name: Encoder._told(settings(name)) for name in (mine, "ViT-B-32/openai", "RN50/openai")
    }
    assert None not in told.values()
    assert len(set(told.values())) == 3
    (tmp_path / "weights.pt").write_bytes(b"other weights")
    assert Encoder._told(settings(mine)) != told[mine]
    assert Encoder._told(settings("open_clip/ViT-B-32/openai")) == told["ViT-B-32/openai"]
    # Added by a program, or unknown: told once it is loaded.
    assert Encoder._told(settings("tiny-test/weights.pt")) is None


def test_a_published_model_gives_the_same_as_its_architecture_and_weights(
    tiny_clip, published_clip, hub_cache, tmp_path
):
    kept = hub_cache("mine/clip", published_clip)
    expected = make(tiny_clip).encode(TEXTS)
    names = [f"local-dir:{published_clip}", str(published_clip), "open_clip/hf-hub:mine/clip"]
    for name in names:
        encoder = Encoder.open(settings(name), tmp_path / "cache")
        assert np.abs(encoder.encode(TEXTS) - expected).max() < 1e-5
        assert Encoder._told(settings(name)) is not None
        encoder.save(tmp_path / "encoder")
    # The same files: one network is exported for all, and travels without them.
    assert len(list((tmp_path / "cache").iterdir())) == 1
    shutil.rmtree(kept)
    loaded = Encoder.load(tmp_path / "encoder")
    assert np.abs(loaded.encode(TEXTS) - expected).max() < 1e-5


def test_a_published_model_without_its_weights_is_told(published_clip, tmp_path):
    shutil.copytree(published_clip, tmp_path / "clip")
    (tmp_path / "clip" / "open_clip_model.safetensors").unlink()
    with pytest.raises(InputError, match="cannot be loaded"):
        make(tmp_path / "clip")


def test_a_tokenizer_of_another_name_is_looked_for_before_transformers_does(
    published_clip, hub_cache
):
    kept = hub_cache("mine/clip", published_clip)
    configuration = json.loads((kept / "open_clip_config.json").read_text())
    configuration["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "no-such-organisation-qq/words"
    (kept / "open_clip_config.json").write_text(json.dumps(configuration))
    with pytest.raises(InputError, match="of its tokenizer no-such-organisation-qq/words: "):
        make("hf-hub:mine/clip")
