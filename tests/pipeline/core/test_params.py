import re

import pytest
from ruamel.yaml import YAML

from pipeline.catalog.settings import CatalogSettings
from pipeline.core.errors import InputError
from pipeline.core.params import check_section, load_section, read_params, read_value
from pipeline.settings import SECTIONS
from pipeline.train.loss_settings import LossSettings
from pipeline.train.settings import TrainSettings


def message(path, name):
    with pytest.raises(InputError) as caught:
        load_section(path, name, SECTIONS[name])
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    return text.removeprefix(f"{path}: ")


@pytest.mark.parametrize("text", ["1e-4", "1.0e-4", "0.0001", "1E-4"])
def test_numbers_are_read_as_dvc_reads_them(params_with, text):
    assert load_section(params_with("train.lr", text), "train", TrainSettings).lr == 1e-4


def test_no_is_a_word(params_with):
    path = params_with("catalog.columns.group", "no")
    assert load_section(path, "catalog", CatalogSettings).columns.group == "no"


def test_an_integer_serves_where_a_float_is_expected(params_with):
    beta = load_section(params_with("loss.beta", "2"), "loss", LossSettings).beta
    assert beta == 2.0
    assert isinstance(beta, float)


def test_a_file_is_parsed_again_when_it_says_something_else_alone(params_with, monkeypatch):
    path, parsed = params_with("loss.beta", "2"), []
    load = YAML.load
    monkeypatch.setattr(YAML, "load", lambda self, text: parsed.append(text) or load(self, text))
    text = path.read_text(encoding="utf-8")
    for beta in ("2.5", "3.5"):
        path.write_text(text.replace("beta: 2", f"beta: {beta}") + "# no other test's\n")
        read_params(path)["loss"].clear()
        assert load_section(path, "loss", LossSettings).beta == float(beta)
    assert len(parsed) == 2


def test_a_section_cannot_be_changed_after_it_was_read(params_with):
    section = load_section(params_with("loss.beta", "2"), "loss", LossSettings)
    with pytest.raises(ValueError, match="frozen"):
        section.beta = 3.0


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("loss.betta", "loss.betta: unknown key; did you mean beta?"),
        ("train.step", "train.step: unknown key; did you mean steps?"),
        (
            "catalog.columns.imgae",
            "catalog.columns.imgae: unknown key; did you mean image?",
        ),
        ("text.glove.vector", "text.glove.vector: unknown key; did you mean vectors?"),
        ("loss.triplet.margn", "loss.triplet.margn: unknown key; did you mean margin?"),
        ("loss.huse", "loss.huse: got 1; this objective has no settings of its own"),
        (
            "clean_text.zzz",
            "clean_text.zzz: unknown key; known keys: recipe, fold_accents, boilerplate",
        ),
    ],
)
def test_a_misspelt_key_is_named_with_what_was_meant(params_with, key, expected):
    assert message(params_with(key, "1"), key.partition(".")[0]) == expected


@pytest.mark.parametrize(
    ("key", "now"),
    [
        ("image.workers", "machine.workers"),
        ("image.engine", "machine.engine"),
        ("image.batch_size", "machine.image_batch_size"),
        ("image.store", "machine.vector_store"),
        ("loss.kernel", "machine.kernel"),
        ("train.checkpoint_every", "machine.checkpoint_every"),
        ("train.checkpoint_minutes", "machine.checkpoint_minutes"),
        ("loss.triplet_margin", "loss.triplet.margin"),
        ("loss.cme_margin", "loss.cme.margin"),
        ("loss.adamine_margin", "loss.adamine.margin"),
        ("loss.adamine_class_weight", "loss.adamine.class_weight"),
    ],
)
def test_a_key_of_an_earlier_version_is_named_with_its_new_place(params_with, key, now):
    found = message(params_with(key, "auto"), key.partition(".")[0])
    assert found == f"{key}: unknown key; it is {now} now"
    section, *inner, name = now.split(".")
    model = SECTIONS[section]
    for part in inner:
        model = model.section_under(part)
    assert name in model.model_fields


@pytest.mark.parametrize("key", ["loss.beta", "catalog.columns.text", "text.glove", "loss.cme"])
def test_a_missing_key_is_named(params_with, key):
    assert message(params_with(key, None), key.partition(".")[0]) == f"{key}: missing key"


def test_a_missing_section_is_named(params_with):
    assert message(params_with("loss", None), "loss") == "section loss is missing"


@pytest.mark.parametrize(
    ("key", "text", "found", "allowed"),
    [
        ("train.batch_size", '"100"', "'100'", "integer"),
        ("train.batch_size", "100.5", "100.5", "integer"),
        ("train.batch_size", "yes", "'yes'", "integer"),
        ("train.batch_size", "true", "True", "integer"),
        ("train.batch_size", "null", "None", "integer"),
        ("train.batch_size", "[1]", "[1]", "integer"),
        ("model.dropout", "yes", "'yes'", "number"),
        ("catalog.path", "5", "5", "string"),
        ("clean_text.fold_accents", "1", "1", "boolean"),
        ("evaluate.k", "5", "5", "list"),
        ("loss", "null", "None", "a section with keys is expected"),
        ("loss", "[1, 2]", "[1, 2]", "a section with keys is expected"),
        ("catalog.columns", "image", "'image'", "a section with keys is expected"),
    ],
)
def test_a_wrong_type_is_named_with_what_was_found(params_with, key, text, found, allowed):
    name = key.partition(".")[0]
    assert re.fullmatch(
        rf"{re.escape(key)}: got {re.escape(found)}; .*{allowed}.*",
        message(params_with(key, text), name),
    )


def test_every_mistake_of_a_section_has_a_line_of_its_own(params_with):
    values = read_params(params_with("train.batch_size", "-1"))
    values["train"]["lr"] = "fast"
    values["train"]["speed"] = 1
    with pytest.raises(InputError) as caught:
        check_section("params.yaml", "train", TrainSettings, values)
    lines = str(caught.value).splitlines()
    assert sorted(line.split(": ")[1] for line in lines) == [
        "train.batch_size",
        "train.lr",
        "train.speed",
    ]
    assert all(line.startswith("params.yaml: ") for line in lines)


@pytest.mark.parametrize(
    "content",
    [
        "loss:\n  beta: 1\n beta: 2\n",
        "loss:\n\tbeta: 1\n",
        "loss: {beta: 1\n",
        "loss: 1\nloss: 2\n",
        "loss: !!python/object/apply:os.getcwd []\n",
        "a: 1\n---\nb: 2\n",
    ],
    ids=["indent", "tab", "unclosed", "twice", "object", "two documents"],
)
def test_what_is_no_yaml_is_one_line_with_its_place(tmp_path, content):
    path = tmp_path / "params.yaml"
    path.write_text(content)
    text = message(path, "loss")
    assert text.startswith("not valid YAML: ")
    assert "line" in text
    assert "\n" not in text


@pytest.mark.parametrize("content", ["", "- a\n", "word\n"])
def test_what_has_no_sections_is_refused(tmp_path, content):
    path = tmp_path / "params.yaml"
    path.write_text(content)
    assert "expected sections such as `catalog:`" in message(path, "loss")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    assert "not found" in message(tmp_path / "params.yaml", "loss")
    assert "cannot be read" in message(tmp_path, "loss")
    (tmp_path / "latin").write_bytes("loss: # é\n".encode("latin-1"))
    assert "not valid YAML" in message(tmp_path / "latin", "loss")


def test_one_value_is_read_by_its_dotted_key(params_with):
    assert read_value(params_with("catalog.images", "photos"), "catalog.images") == "photos"


@pytest.mark.parametrize("key", ["catalog.pictures", "catalog.images.folder", "nothing"])
def test_a_value_that_is_not_there_is_named(params_with, key):
    with pytest.raises(InputError, match=f"{key}: missing key"):
        read_value(params_with("catalog.images", "photos"), key)


def test_a_misspelt_key_is_one_mistake(params_with):
    path = params_with("loss.beta", None)
    path.write_text(path.read_text().replace("  gamma:", "  betta: 2.0\n  gamma:"))
    assert message(path, "loss") == "loss.betta: unknown key; did you mean beta?"
    # Another key that is missing is told beside it.
    path.write_text(path.read_text().replace("  gamma:", "  gama:").replace("  margin:", "  zeta:"))
    assert "loss.margin: missing key" in message(path, "loss")
