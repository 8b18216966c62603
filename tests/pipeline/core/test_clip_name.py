from pathlib import Path

import pytest

from pipeline.core.clip_name import ClipName, read_clip_name
from pipeline.core.errors import InputError

HOW = ("text model x", "packaged/y")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ViT-B-32/openai", ("ViT-B-32", "openai")),
        ("open_clip/ViT-B-32/openai", ("ViT-B-32", "openai")),
        ("ViT-B-32//data/mine.pt", ("ViT-B-32", "/data/mine.pt")),
        ("ViT-B-32", ("ViT-B-32", "")),
        ("hf-hub:Marqo/marqo-fashionSigLIP", ("hf-hub:Marqo/marqo-fashionSigLIP", "")),
        ("open_clip/hf-hub:imageomics/bioclip-2", ("hf-hub:imageomics/bioclip-2", "")),
        ("local-dir:models/mine", ("local-dir:models/mine", "")),
        ("/models/mine", ("local-dir:/models/mine", "")),
        ("./models/mine", ("local-dir:models/mine", "")),
        ("~/mine", (f"local-dir:{Path.home()}/mine", "")),
    ],
)
def test_every_form_of_a_name_is_read(name, expected):
    assert read_clip_name(name) == expected


def test_a_folder_of_a_model_needs_nothing_in_front(published_clip, monkeypatch):
    monkeypatch.chdir(published_clip.parent)
    clip = read_clip_name(published_clip.name)
    assert clip == (f"local-dir:{published_clip.name}", "")
    clip.check(*HOW)
    assert clip.folder() == Path(published_clip.name)


def test_what_is_not_there_is_one_line(tmp_path, hub_cache, published_clip):
    with pytest.raises(InputError, match=r"^text model x: there is no such folder$"):
        ClipName(f"local-dir:{tmp_path}/absent", "").check(*HOW)
    with pytest.raises(InputError, match=r"^text model x: the folder has no open_clip_config.json"):
        ClipName(f"local-dir:{tmp_path}", "").check(*HOW)
    kept = hub_cache("mine/clip", published_clip)
    ClipName("hf-hub:mine/clip", "").check(*HOW)
    assert ClipName("hf-hub:mine/clip", "").folder() == kept
    # Cut off after the first file: the rest has to come from the hub.
    (kept / "open_clip_model.safetensors").unlink()
    with pytest.raises(InputError, match="Hugging Face hub"):
        ClipName("hf-hub:mine/clip", "").check(*HOW)
    ClipName("ViT-B-32", "openai").check(*HOW)
    assert ClipName("ViT-B-32", "openai").folder() is None
