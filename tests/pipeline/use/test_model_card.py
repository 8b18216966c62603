import json
import shutil

import pytest
from huggingface_hub import ModelCard

from huse import Huse
from pipeline.core.errors import InputError
from pipeline.use.model_card import UNKNOWN, model_card


@pytest.fixture
def data(finished_project, tmp_path):
    """Folder of a project's artifacts, as far as a card tells of them."""
    for name in ("model", "catalog", "evaluate"):
        shutil.copytree(finished_project.root / "data" / name, tmp_path / "data" / name)
    return tmp_path / "data"


def card_of(data, **changed):
    model = Huse.load(data / "model")
    given = {"license": "cc-by-sa-4.0", **changed}
    return model_card("shop/emoji", model.description, model.known.classes, data, **given)


def cells(card, first):
    """The other cells of a row of a table."""
    (row,) = [line for line in card.splitlines() if line.startswith(f"| {first}")]
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


def test_the_hub_can_read_its_metadata(data):
    found = ModelCard(card_of(data)).data
    assert (found.license, found.library_name) == ("cc-by-sa-4.0", "huse")
    assert found.language == ["en"]
    assert "huse" in found.tags


def test_it_tells_what_was_measured_with_intervals(data):
    card = card_of(data)
    metrics = json.loads((data / "evaluate" / "metrics.json").read_text(encoding="utf-8"))
    low, high = metrics["intervals"]["accuracy"]
    expected = [f"{metrics['accuracy']:.3f}", f"{low:.3f} to {high:.3f}"]
    assert cells(card, "accuracy of the class path") == expected
    assert cells(card, "HP@")[0]
    assert f"On {metrics['test']['items']} items" in card
    summary = json.loads((data / "catalog" / "summary.json").read_text(encoding="utf-8"))
    assert cells(card, "items |") == [str(summary["items"])]
    assert cells(card, "pictures:") == ["Apache-2.0"]
    assert cells(card, "texts (glove)") == ["PDDL-1.0 (public domain)"]
    assert "| Animals \\& Nature |" in card


def test_how_to_use_it_is_code_that_runs(data, monkeypatch):
    card = card_of(data)
    code = card.split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(data.parent)
    code = code.replace("shop/emoji", str(data / "model")).replace(
        'images=["cat.jpg"]', "texts=['cat']"
    )
    exec(code, {})
    assert "model.search" not in code
    assert "model.search" in card_of(data, include_index=True)


def test_figures_of_another_model_are_left_out(data, tmp_path):
    other = tmp_path / "other"
    for name in ("catalog", "evaluate"):
        shutil.copytree(data / name, other / name)
    (other / "evaluate" / "embeddings.parquet").unlink()
    model = Huse.load(data / "model")
    given = ("shop/emoji", model.description, model.known.classes)
    assert "nothing is known of how good it is" in model_card(*given, other, license="mit")
    card = model_card(*given, tmp_path / "nowhere", license="mit")
    assert "were not beside the model" in card
    assert "language" not in ModelCard(card).data.to_dict()
    for content, message in (("{", "not valid JSON"), ('{"items": "9"}', "items: should be")):
        (data / "catalog" / "summary.json").write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=rf"summary\.json: .*{message}.*; run huse catalog"):
            card_of(data)


def test_a_licence_that_is_not_known_is_not_made_up(data):
    described = json.loads((data / "model" / "model.json").read_text(encoding="utf-8"))
    described["recipe"]["image"]["backbone"] = "timm/something"
    (data / "model" / "model.json").write_text(json.dumps(described), encoding="utf-8")
    assert cells(card_of(data), "pictures: `timm/something`") == [UNKNOWN]


def test_names_of_classes_stay_text(data):
    described = json.loads((data / "model" / "model.json").read_text(encoding="utf-8"))
    for entry in described["classes"]["classes"]:
        entry["parts"][0] = "<b>|[x](http://example.org)\n"
    (data / "model" / "model.json").write_text(json.dumps(described), encoding="utf-8")
    card = card_of(data)
    assert r"| \<b\>\|\[x\](http://example.org) |" in card
