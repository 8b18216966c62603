import os
import re

import pytest

from pipeline.core.location import RemotePath


def listed(project, *options):
    result = project.huse("cache", *options)
    assert result.exit_code == 0, result.output
    *lines, last = result.stdout.splitlines()
    return [(line.split()[0], line) for line in lines], last


@pytest.fixture
def used(shop):
    """A shop whose pictures and texts have vectors."""
    shop.set({"text.encoders": ["sentence"]})
    for stage in ("catalog", "clean_text", "image_features", "text_block"):
        result = shop.huse(stage)
        assert result.exit_code == 0, result.output
    return shop


def test_recipes_are_listed_with_vectors_size_and_last_use_and_removed(used):
    lines, last = listed(used)
    assert [kind for kind, _ in lines] == ["image", "image", "text", "word", "digest"]
    named = {kind: line for kind, line in lines if "graphs" not in line}
    assert re.search(
        r"packaged/efficientnet_lite0 pooled 224 px onnxruntime +16 vectors +0\.1 MB +used 20",
        named["image"],
    )
    assert re.search(r"sentence packaged/all_minilm_l6_v2 +\d+ vectors", named["text"])
    assert "network of sentence packaged/all_minilm_l6_v2" in named["word"]
    assert re.fullmatch(r"cache: stored 5 entries, \d+\.\d MB", last)
    # Nothing was made long ago.
    assert listed(used, "--empty", "--older-than", "1")[0] == []
    assert len(listed(used, "--kind", "image", "--empty")[0]) == 2
    assert [kind for kind, _ in listed(used)[0]] == ["text", "word", "digest"]
    assert listed(used, "--empty")[1].startswith("cache: removed 3 entries, ")
    assert listed(used) == ([], "cache: stored no entries, 0.0 MB")
    assert "16 extracted, 0 from the cache" in used.huse("image_features").stdout


def test_vectors_of_an_earlier_version_are_listed_by_their_folder(used):
    [note] = (used.root / "data").rglob("features/**/recipe.txt")
    note.unlink()
    for path in note.parent.iterdir():
        os.utime(path, (0, 0))
    lines, _ = listed(used, "--kind", "image", "--older-than", "1000")
    assert [note.parent.name in line for _, line in lines] == [True]


def test_a_store_for_several_machines_is_removed_only_by_name(shop, bucket):
    assert isinstance(bucket, RemotePath)
    shop.set({"machine.vector_store": f"{bucket}/vectors"})
    for stage in ("catalog", "image_features"):
        assert shop.huse(stage).exit_code == 0
    shared = [line for kind, line in listed(shop)[0] if kind == "shared"]
    assert len(shared) == 1
    assert "packaged/efficientnet_lite0" in shared[0]
    listed(shop, "--empty")
    assert len(listed(shop)[0]) == 1
    assert listed(shop, "--empty", "--kind", "shared")[1].startswith("cache: removed 1 entry, ")
    assert listed(shop)[0] == []


def test_an_unknown_kind_is_named_with_the_known(shop):
    assert shop.refuse("cache", "--kind", "audio") == (
        "--kind: got 'audio'; known: image, text, word, digest, shared"
    )
