import pytest

from pipeline.core.errors import InputError
from pipeline.core.published_model import (
    cached_folder,
    check_hub,
    is_path,
    locate_published,
    offline_copy,
)

HOW = {"what": "image.backbone x", "instead": "packaged/y"}


def test_a_folder_is_where_it_is(tmp_path):
    assert locate_published(str(tmp_path), ["config.json"], **HOW) == str(tmp_path)
    with pytest.raises(InputError, match=r"^image.backbone x: there is no such folder$"):
        locate_published(f"{tmp_path}/absent", ["config.json"], **HOW)
    assert locate_published("mine/model", ["config.json"], **HOW, ask=False) == "mine/model"


def test_a_model_in_the_hubs_cache_is_not_asked_for(hub_cache, tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "modules.json").write_text("[]")
    kept = hub_cache("mine/model", tmp_path / "made")
    files = ["config.json", "modules.json"]
    assert cached_folder("mine/model", files) == kept
    assert locate_published("mine/model", files, **HOW) == "mine/model"
    assert cached_folder("mine/model", ["config.json"]) is None
    assert cached_folder("mine/other", files) is None
    assert cached_folder("no spaces allowed", files) is None


def test_what_the_hub_does_not_have_or_nobody_can_ask_for_is_one_line():
    with pytest.raises(InputError, match="neither a folder nor a model of the Hugging Face hub"):
        check_hub("no spaces allowed", ["config.json"], **HOW)
    # Unknown where there is a network; out of reach where there is none.
    with pytest.raises(InputError, match=r"^image.backbone x: .*Hugging Face hub") as caught:
        check_hub("no-such-organisation-qq/no-such-model", ["config.json"], **HOW)
    assert "\n" not in str(caught.value)


def test_only_a_folder_looks_like_a_path():
    assert all(map(is_path, ["./a", "../a", "/a", "~/a", "a/b/c"]))
    assert not any(map(is_path, ["a", "a/b"]))


def test_a_copy_stands_for_a_model_while_the_hub_cannot_be_asked(hub_cache, tmp_path, monkeypatch):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "modules.json").write_text("[]")
    kept = hub_cache("mine/model", tmp_path / "made")
    files = ["config.json", "modules.json"]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert offline_copy("mine/model", files) == kept
    assert offline_copy("mine/other", files) is None
