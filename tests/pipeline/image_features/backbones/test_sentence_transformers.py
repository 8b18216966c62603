import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.core.errors import InputError
from pipeline.image_features.backbones.sentence_transformers import load

SIDE = 32


def make_words(folder):
    """A tokenizer of single letters."""
    from transformers import CLIPTokenizerFast

    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizerFast.from_pretrained(folder, model_max_length=16)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Folder of a tiny random CLIP as sentence-transformers saves it."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Transformer
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

    made, folder = tmp_path_factory.mktemp("transformers"), tmp_path_factory.mktemp("clip")
    words = make_words(made)
    pictures = CLIPImageProcessor(
        size={"shortest_edge": SIDE + 8}, crop_size={"height": SIDE, "width": SIDE}
    )
    CLIPProcessor(image_processor=pictures, tokenizer=words).save_pretrained(made)
    ends = {"bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1}
    size = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2}
    size["num_hidden_layers"] = 2
    text = {"vocab_size": len(words), "max_position_embeddings": 16, **ends, **size}
    vision = {"image_size": SIDE, "patch_size": 8, **size}
    torch.manual_seed(0)
    configuration = CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)
    CLIPModel(configuration).save_pretrained(made)
    model = SentenceTransformer(modules=[Transformer(str(made))], device="cpu")
    model.save(str(folder))
    return folder


def test_the_vector_is_the_librarys_own(clip, embed):
    from sentence_transformers import SentenceTransformer

    found = load(str(clip), "pooled", "default")
    assert found.transform.resize == "crop"
    assert (found.transform.size, found.transform.scale) == (SIDE, SIDE + 8)
    assert found.transform.interpolation == "bicubic"
    assert found.transform.mean[0] == pytest.approx(255 * 0.48145466)
    # Of the size that it is resized to, or torchvision's resizing would tell.
    noise = np.random.default_rng(0).integers(0, 256, (SIDE + 8, SIDE + 8, 3), dtype=np.uint8)
    picture = Image.fromarray(noise)
    expected = SentenceTransformer(str(clip), device="cpu").encode([picture])[0]
    vector = embed(found, picture)
    assert vector.shape == (8,)
    assert np.abs(vector.numpy() - expected).max() < 1e-5


def test_a_model_of_the_hub_that_is_here_needs_no_network(clip, hub_cache):
    hub_cache("mine/clip", clip)
    digest = load("mine/clip", "pooled", "default").weights_digest()
    assert digest == load(str(clip), "pooled", "default").weights_digest()


def test_it_runs_as_a_network_of_onnx(clip, tmp_path):
    from pipeline.image_features.runtimes.onnx_export import export_onnx

    export_onnx(load(str(clip), "pooled", "default"), tmp_path / "clip.onnx")
    assert (tmp_path / "clip.onnx").is_file()


def test_texts_and_pictures_are_of_one_space(clip, tmp_path):
    """The text side is encoder `sentence`, by the same name."""
    from sentence_transformers import SentenceTransformer

    from pipeline.encoders.text.sentence import Encoder, Settings

    how = {"input": "text", "batch_size": 2, "device": "cpu", "precision": "fp32"}
    encoder = Encoder.open(Settings(model=str(clip), **how), tmp_path)
    expected = SentenceTransformer(str(clip), device="cpu").encode(["red shirt", "hat"])
    assert encoder.network is not None
    assert np.abs(encoder.encode(["red shirt", "hat"]) - expected).max() < 1e-5


def test_a_picture_that_is_squashed(clip, tmp_path):
    shutil.copytree(clip, tmp_path / "clip")
    path = tmp_path / "clip" / "processor_config.json"
    described = json.loads(path.read_text())
    described["image_processor"] |= {
        "do_center_crop": False,
        "size": {"height": SIDE, "width": SIDE},
        "image_mean": [0.5] * 3,
    }
    path.write_text(json.dumps(described))
    transform = load(str(tmp_path / "clip"), "pooled", "default").transform
    assert (transform.resize, transform.size, transform.scale) == ("squash", SIDE, SIDE)
    assert transform.mean == (127.5,) * 3
    described["image_processor"]["size"] = {"height": SIDE, "width": 2 * SIDE}
    path.write_text(json.dumps(described))
    with pytest.raises(InputError, match="how its processor makes pictures ready"):
        load(str(tmp_path / "clip"), "pooled", "default")


@pytest.mark.parametrize(
    ("layer", "weights", "message"),
    [("logits", "default", "has no classes; use pooled"), ("pooled", "none", "use default")],
)
def test_what_there_is_not_is_one_line(clip, layer, weights, message):
    with pytest.raises(InputError, match=message):
        load(str(clip), layer, weights)


def test_a_model_of_texts_alone_is_refused():
    from pipeline.encoders.find_model import locate_model

    with pytest.raises(InputError, match="embeds no pictures; choose a multimodal one"):
        load(locate_model("packaged/all_minilm_l6_v2"), "pooled", "default")


def test_a_model_that_is_not_there_is_one_line():
    for name in ("./absent", "no-such-organisation-qq/clip"):
        with pytest.raises(InputError, match=rf"^image.backbone sentence_transformers/{name}: "):
            load(name, "pooled", "default")
