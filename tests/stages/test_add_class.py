import json
import shutil

import pandas as pd
import pyarrow.parquet as pq
import pytest

from pipeline.core.json_file import read_json
from pipeline.model.new_class_file import FILE
from pipeline.use.added_file import added_path, read_added

MODEL = "data/model"
PATH = "Animals & Nature<red heart"


@pytest.fixture
def examples(project):
    """Two items of the catalogue, as a new class of their own."""
    items = pd.read_parquet(project.root / "data" / "catalog" / "items.parquet").head(2)
    items[["image", "text"]].to_csv(project.root / "new.csv", index=False)
    return ["--examples", "new.csv", "--images", "data/raw/openmoji/images"]


def classify(project, *options):
    result = project.huse(
        *("classify", "new.csv", "--images", "data/raw/openmoji/images", "--json", *options)
    )
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()], result


def likely(project):
    (added,) = read_added(added_path(project.root / MODEL))
    number = len(added.likely)
    assert number > 0
    return f"{number} items of the catalogue are probably of it".replace(
        "1 items of the catalogue are", "1 item of the catalogue is"
    )


def search(project, *arguments):
    result = project.huse("search", "heart", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["hits"]


def test_a_class_is_added_listed_found_and_removed(project, examples):
    before, _ = classify(project)
    result = project.huse("add-class", "Animals & Nature < red  heart", *examples)
    assert result.exit_code == 0, result.output
    assert result.stdout == (
        f"add_class: {PATH} added, known by its name, 2 pictures and 2 texts; "
        f"{likely(project)}; it is never filed unattended, as no validation item speaks for it\n"
    )
    listed = project.huse("add-class")
    assert listed.stdout == (
        f"{PATH}  known by its name, 2 pictures and 2 texts; {likely(project)}\n"
    )
    after, _ = classify(project, "--k", "200")
    for one, other in zip(after, before, strict=True):
        probability = {guess["path"]: guess["probability"] for guess in one["top"]}
        # Nearer to it than to anything else, if two examples tell of it at all.
        assert probability[PATH] > 0
        assert len(probability) > len(other["top"])
        assert one["state"] in ("review", "unknown")
    assert project.huse("add-class", "--remove", PATH).exit_code == 0
    assert classify(project)[0] == before
    assert not added_path(project.root / MODEL).exists()
    assert project.huse("add-class").stdout == "add_class: no class was added to this model\n"


def test_a_search_finds_what_is_of_an_added_class(project, examples):
    before = search(project, "--k", "200")
    assert project.huse("add-class", PATH, *examples).exit_code == 0
    (added,) = read_added(added_path(project.root / MODEL))
    found = search(project, "--in", "animals & nature < Red heart", "--k", "200")
    assert {hit["item_id"] for hit in found} == set(added.likely)
    assert {hit["likely_path"] for hit in found} == {PATH}
    shown = project.huse("search", "heart", "--in", PATH).stdout
    assert "(predicted: " in shown
    everywhere = search(project, "--k", "200")
    assert {hit["item_id"] for hit in everywhere if hit["likely_path"]} == set(added.likely)
    assert [{**hit, "likely_path": None} for hit in everywhere] == before
    # What is filed there is found beside.
    (project.root / "more.csv").write_text(
        f"text,classes\nred heart of glass,{PATH}\n", encoding="utf-8"
    )
    assert project.huse("index", "add", "more.csv").exit_code == 0
    found = search(project, "--in", PATH, "--k", "200")
    assert {hit["text"] for hit in found if hit["likely_path"] is None} == {"red heart of glass"}
    assert len(found) == len(added.likely) + 1
    assert project.huse("add-class", "--remove", PATH).exit_code == 0
    assert [hit["text"] for hit in search(project, "--in", PATH)] == ["red heart of glass"]
    assert project.huse("index", "remove", ids(project, found)).exit_code == 0
    assert search(project, "--k", "200") == before
    assert "no item is of class" in project.refuse("search", "heart", "--in", PATH)


def ids(project, hits):
    (item_id,) = (hit["item_id"] for hit in hits if hit["likely_path"] is None)
    (project.root / "ids.txt").write_text(item_id, encoding="utf-8")
    return "ids.txt"


def test_without_the_models_embeddings_nothing_is_predicted_of_the_catalogue(project, examples):
    embeddings = project.root / "data" / "evaluate" / "embeddings.parquet"
    for trouble in ("made by another model", "not found"):
        if trouble == "not found":
            embeddings.unlink()
        else:
            table = pq.read_table(embeddings)
            pq.write_table(table.replace_schema_metadata({"model": "b" * 64}), embeddings)
        result = project.huse("add-class", PATH, *examples)
        assert result.exit_code == 0, result.output
        assert f"add_class: warning: data/evaluate/embeddings.parquet: {trouble}" in result.stderr
        assert "probably" not in result.stdout
        assert "which was added to the model: none is filed there" in (
            project.refuse("search", "heart", "--in", PATH)
        )
        assert project.huse("add-class", "--remove", PATH).exit_code == 0


def test_a_name_alone_makes_a_class(project, examples):
    (project.root / "new.csv").write_text("text\nred heart\n", encoding="utf-8")
    result = project.huse("add-class", "Animals & Nature<red heart")
    assert "known by its name alone" in result.stdout
    (row,), _ = classify(project, "--k", "3")
    assert PATH in [guess["path"] for guess in row["top"]]


def test_adding_is_deterministic(project, examples):
    path = added_path(project.root / MODEL)
    contents = []
    for _ in range(2):
        assert project.huse("add-class", PATH, *examples).exit_code == 0
        contents.append(path.read_bytes())
        assert project.huse("add-class", "--remove", PATH).exit_code == 0
    assert contents[0] == contents[1]


def test_rows_that_cannot_be_used_are_told(project, examples):
    (project.root / "new.csv").write_text('text\nred cat\n" "\n', encoding="utf-8")
    result = project.huse("add-class", PATH, "--examples", "new.csv")
    assert result.exit_code == 0, result.output
    assert "add_class: row 2 rejected: no image and no text" in result.stderr
    assert "no pictures and 1 text;" in result.stdout


def test_a_parent_that_nobody_knows_is_a_warning(project):
    result = project.huse("add-class", "Animals & Natur<red heart")
    assert result.exit_code == 0, result.output
    assert result.stderr == (
        "add_class: warning: Animals & Natur<red heart: no other class is below Animals & Natur; "
        "perhaps Animals & Nature is meant\n"
    )
    assert project.huse("add-class", "blue heart").stderr == ""


def test_mistakes_are_one_line(project, examples):
    classes = read_json(project.root / "data" / "catalog" / "classes.json")["classes"]
    known = classes[0]["name"]
    assert "is in the class tree already" in project.refuse("add-class", known)
    assert "is in the class tree already" in project.refuse("add-class", classes[0]["parts"][0])
    assert "has an empty part" in project.refuse("add-class", "a<")
    assert project.huse("add-class", PATH).exit_code == 0
    assert "was added already; --remove it first" in project.refuse("add-class", PATH)
    assert f"there are: {PATH}" in project.refuse("add-class", "--remove", "x")
    assert "not both" in project.refuse("add-class", "x", "--remove", PATH)
    assert "give the class path too" in project.refuse("add-class", "--examples", "new.csv")
    assert "no word of the name is known" in project.refuse("add-class", "xyzzyx")
    (project.root / "new.csv").write_text('text\n" "\n', encoding="utf-8")
    refused = project.huse("add-class", "x", "--examples", "new.csv")
    assert refused.exit_code == 1
    assert refused.stderr.splitlines()[-1] == "error: new.csv: no row can be used"
    assert [one.path for one in read_added(added_path(project.root / MODEL))] == [PATH]
    (project.root / MODEL / FILE).unlink()
    assert "so no class can be added; train again" in project.refuse("add-class", "green heart")


def test_after_another_training_the_commands_are_told(project, examples):
    assert project.huse("add-class", PATH, *examples).exit_code == 0
    project.set({"train.seed": 1})
    assert project.huse("train").exit_code == 0
    _, result = classify(project)
    assert (
        "data/model_added.safetensors: 1 class was added to another model than data/model and "
        "left out; add again: huse add-class 'Animals & Nature<red heart' --examples new.csv "
        "--images data/raw/openmoji/images\n" in result.stderr
    )
    # The new one takes the place of the old.
    assert project.huse("add-class", PATH, *examples).exit_code == 0
    assert "another model" not in classify(project)[1].stderr
    assert len(read_added(added_path(project.root / MODEL))) == 1


def test_a_model_in_another_place_is_named_in_the_command(project, examples):
    shutil.copytree(project.root / MODEL, project.root / "mine")
    assert project.huse("add-class", PATH, "--model", "mine").exit_code == 0
    (one,) = read_added(project.root / "mine_added.safetensors")
    assert one.again == f"huse add-class '{PATH}' --model mine"
