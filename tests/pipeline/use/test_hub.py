"""The real client of the hub, in processes of its own, against a server of its protocol."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from huse import Huse
from pipeline.attributes.fit_head import fit_head
from pipeline.attributes.heads import AttributeHeads, ValueHead, write_heads
from pipeline.core.errors import InputError
from pipeline.use.added_classes import add_class
from tests.conftest import ROOT
from tests.hub_server import TOKEN, hub_server
from tests.project import Project


@pytest.fixture(scope="module")
def hub():
    with hub_server() as hub:
        yield hub


@pytest.fixture(scope="module")
def data(finished_project, tmp_path_factory):
    """The artifacts of a project, with an added class and a file that is no part of a model."""
    folder = tmp_path_factory.mktemp("published") / "data"
    for name in ("model", "index", "catalog", "evaluate"):
        shutil.copytree(finished_project.root / "data" / name, folder / name)
    # Of a colour there is but one.
    recipe = Huse.load(folder / "model").description.recipe
    words = np.zeros((2, int(recipe["text"]["glove.columns"])), np.float32)
    grey = ValueHead(["grey"], fit_head(words, np.zeros(2, int), 1, 1.0)[0])
    write_heads(folder / "attributes", AttributeHeads(recipe, {"colour": {"text": grey}}))
    (folder / "model" / "notes.pkl").write_bytes(b"\x80\x04N.")
    model = Huse.load(folder / "model")
    found = model.embed(texts=["cheese wedge"])
    add_class(model, "Food & Drink<cheese", [found], "again")
    # So that it differs from the index alone: the nearest is removed.
    (folder.parent / "ids.txt").write_text(model.search(found, k=1)[0][0].item_id, encoding="utf-8")
    result = Project(folder.parent).huse("index", "remove", "ids.txt")
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def run(hub, tmp_path):
    """Runs code in a fresh process that knows the hub; returns its last line as JSON."""

    def run(code, token=TOKEN, cache=tmp_path / "cache", address=hub.address):
        variables = {key: value for key, value in os.environ.items() if key[:3] != "HF_"}
        variables |= {"HF_ENDPOINT": address, "HF_HOME": str(cache), "PYTHONPATH": str(ROOT)}
        # The storage that most repositories have now; without it the client uses Git LFS.
        variables |= {"HF_HUB_DISABLE_XET": "1"}
        if token:
            variables["HF_TOKEN"] = token
        code = f"""
import json
from huse import Huse, InputError
try:
    {code}
except InputError as error:
    said = str(error)
print(json.dumps(said))
"""
        done = subprocess.run(
            [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def push(data, name, **options):
    given = "".join(f", {key}={value!r}" for key, value in options.items())
    return f'said = Huse.load({str(data / "model")!r}).push_to_hub("{name}", license="mit"{given})'


LOAD = """model = Huse.from_pretrained({name!r}, revision={revision!r})
    v = model.embed(texts=["cheese wedge"])
    hits = [hit.item_id for hit in model.search(v, k=3)[0]]
    said = [model.classes_.tolist(), v.text_ND[0].tolist(), hits, str(model.folder)]
    assert model.predict_attributes(v)[0]["colour"].value == "grey"
"""


def test_a_published_model_is_what_it_was_also_without_a_network(run, hub, data):
    address = run(push(data, "shop/emoji", include_index=True))
    assert address.startswith(f"{hub.address}/shop/emoji/commit/")
    tree = hub.tree("shop/emoji")
    assert hub.repositories["shop/emoji"].private
    assert {"README.md", "model/model.json", "model_added.safetensors"} <= set(tree)
    assert {"index/index.faiss", "attributes/heads.json", "attributes/heads.safetensors"} <= set(
        tree
    )
    assert "model/image_encoder/network.onnx" in tree
    assert "model/notes.pkl" not in tree
    assert tree["README.md"].startswith(b"---\n")
    assert b"license: mit" in tree["README.md"]

    model = Huse.load(data / "model")
    expected = model.embed(texts=["cheese wedge"])
    hits = [hit.item_id for hit in model.search(expected, k=3)[0]]
    load = LOAD.format(name="shop/emoji", revision=None)
    classes, vector, found, place = run(load)
    assert classes == model.classes_.tolist()
    assert classes[-1] == "Food & Drink<cheese"
    assert vector == pytest.approx(expected.text_ND[0].tolist(), abs=1e-6)
    assert found == hits
    assert (data.parent / "ids.txt").read_text(encoding="utf-8") not in found
    # Nobody listens there: what was downloaded is used.
    assert run(load, address="http://127.0.0.1:9")[3] == place
    # A repository that was cloned or copied is a folder like any other.
    assert Huse.from_pretrained(place.removesuffix("/model")).classes_.tolist() == classes


def test_a_new_version_replaces_the_old_one_and_both_can_be_had(run, hub, data, tmp_path):
    first = run(push(data, "shop/versions", include_index=True, private=False))
    shutil.copytree(data / "model", tmp_path / "model")
    second = run(push(tmp_path, "shop/versions"))
    assert second.startswith(f"{hub.address}/shop/versions/commit/")
    assert first != second
    tree = hub.tree("shop/versions")
    assert not hub.repositories["shop/versions"].private
    assert not [name for name in tree if name.startswith("index/") or "added" in name]
    load = (
        'model = Huse.from_pretrained("shop/versions", revision={!r}); said = len(model.classes_)'
    )
    old = run(load.format(first.rpartition("/")[2]), token=None)
    assert run(load.format(None), token=None) == old - 1


def test_what_the_hub_refuses_is_one_line(run, hub, data):
    nobody = run(push(data, "shop/nobody"), token=None)
    assert nobody.startswith("shop/nobody: ")
    assert "HF_TOKEN" in nobody
    load = 'Huse.from_pretrained("{}", revision={!r})'
    assert "may be read" in run(load.format("shop/missing", None))
    run(push(data, "shop/private"))
    assert "HF_TOKEN" in run(load.format("shop/private", None), token=None)
    assert "no such revision" in run(load.format("shop/private", "v9"))
    unreachable = run(load.format("shop/never", None), address="http://127.0.0.1:9")
    assert unreachable.startswith("shop/never: the Hugging Face hub cannot be asked (")
    assert "\n" not in nobody + unreachable


def test_what_is_not_asked_of_the_hub(tmp_path, data):
    with pytest.raises(InputError, match="there is no such folder"):
        Huse.from_pretrained(tmp_path / "nowhere")
    with pytest.raises(InputError, match="there is no such folder"):
        Huse.from_pretrained("./nowhere")
    with pytest.raises(InputError, match="holds no model of HUSE"):
        Huse.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="only the hub's models have any"):
        Huse.from_pretrained(data, revision="v1")
    with pytest.raises(InputError, match="neither a folder nor owner/name"):
        Huse.from_pretrained("no name at all!")
    assert Huse.from_pretrained(data / "model").folder == data / "model"


def test_an_index_of_another_model_is_not_published(data, tmp_path):
    shutil.copytree(data / "model", tmp_path / "model")
    with pytest.raises(InputError, match="no index here"):
        Huse.load(tmp_path / "model").push_to_hub("shop/a", license="mit", include_index=True)
