import ast
import inspect
import re
import textwrap
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.core.errors import InputError
from pipeline.core.params import load_section
from pipeline.core.section import Section
from pipeline.image_features.settings import BACKBONE_SOURCES
from pipeline.settings import SECTIONS, check_params
from pipeline.train.loss_settings import OBJECTIVES

SHIPPED = Path(__file__).parents[2] / "params.yaml"


def leaves(model, prefix):
    """Dotted keys of a section, and whether a string below each says what it is."""
    written = model.__mro__[: model.__mro__.index(Section)]
    explained = set().union(*map(explained_fields, written))
    for name, field in model.model_fields.items():
        key, section = f"{prefix}.{name}", model.section_under(name)
        if section is not None:
            yield from leaves(section, key)
        elif not (prefix == "loss" and name in OBJECTIVES):  # which need not have settings
            yield key, field.description is not None or name in explained


def explained_fields(model):
    """Names of the fields of a class that have a string below them."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0].body
    except OSError:  # it was put together of others, and its fields have descriptions
        return set()
    return {
        field.target.id
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
    }


def mistakes(path):
    with pytest.raises(InputError) as caught:
        check_params(path)
    return [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]


def test_the_shipped_file_passes():
    check_params(SHIPPED)


def test_every_parameter_is_explained_in_its_section_and_in_the_file():
    fields = dict(pair for name, model in SECTIONS.items() for pair in leaves(model, name))
    assert [key for key, explained in fields.items() if not explained] == []
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    explained = [match[1] for line in lines if (match := re.match(r"\s+(\w+): .*\S\s+# \w", line))]
    assert sorted(explained) == sorted(key.rpartition(".")[2] for key in fields)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("catalog.path", '""'),
        ("catalog.encoding", "excel"),
        ("catalog.delimiter", "comma"),
        ("catalog.sheet", '""'),
        ("catalog.columns.text", '""'),
        ("catalog.separator", '""'),
        ("catalog.label", "root"),
        ("catalog.on_bad_row", "ignore"),
        ("catalog.placeholders.share", "0"),
        ("catalog.placeholders.classes", "1"),
        ("catalog.placeholders.largest", "1.5"),
        ("split.val", "0"),
        ("split.val", "1.0"),
        ("split.test", "-0.1"),
        ("split.test", ".nan"),
        ("split.seed", "-1"),
        ("split.min_class_size", "0"),
        ("split.keep_together", "[colour]"),
        ("clean_text.recipe", "words"),
        ("clean_text.recipe", "[[lower]]"),
        ("image.backbone", "resnet18"),
        ("image.backbone", "keras/resnet18"),
        ("image.backbone", "timm/"),
        ("image.backbone", "18"),
        ("image.layer", "last"),
        ("image.resize", "stretch"),
        ("image.size", "0"),
        ("image.interpolation", "cubic"),
        ("image.mean", "[0.5]"),
        ("image.mean", "[0.5, 0.5, 127]"),
        ("image.std", "[0.5, 0.5, 0]"),
        ("image.max_pixels", "0"),
        ("image.max_pixels", "200000000"),
        ("image.views", "0"),
        ("image.augment", "blur"),
        ("image.runtime", "tensorrt"),
        ("image.precision", "int8"),
        ("machine.image_batch_size", "0"),
        ("machine.image_batch_size", "fast"),
        ("machine.workers", "0"),
        ("machine.engine", "spark"),
        ("image.device", "gpu"),
        ("image.jpeg", "fast"),
        ("image.background", "white"),
        ("image.background", '"#fff"'),
        ("image.max_failed", "1.5"),
        ("text.encoders", "[]"),
        ("text.encoders", "[word2vec]"),
        ("graph.encoder", "word2vec"),
        ("graph.of", "root"),
        ("graph.glove.vectors", '""'),
        ("graph.sentence.model", '""'),
        ("graph.transformer.model", '""'),
        ("graph.transformer.layers", "0"),
        ("graph.transformer.combine", "sum"),
        ("graph.open_clip.model", '""'),
        ("graph.infersent.version", "3"),
        ("graph.infersent.weights", '""'),
        ("graph.infersent.vectors", '""'),
        ("graph.blend.encoders", "[path]"),
        ("graph.blend.encoders", "[path, blend]"),
        ("graph.blend.weight", "1.5"),
        ("model.dim", "1"),
        ("model.image_layers", "0"),
        ("model.text_layers", "-2"),
        ("model.width", "0"),
        ("model.dropout", "1.5"),
        ("model.dropout", "1.0"),
        ("model.dropout", "-0.1"),
        ("model.dropout", ".nan"),
        ("model.input_dropout", "1.0"),
        ("model.input_dropout", "half"),
        ("model.residual", "1"),
        ("loss.names", "-1"),
        ("loss.delta", "-1"),
        ("loss.temperature", "0"),
        ("loss.joint", ".inf"),
        ("loss.logit_adjustment", "-0.5"),
        ("train.tolerance", "-1"),
        ("model.fusion", "early"),
        ("model.logit_scale", "16"),
        ("loss.objective", "clip"),
        ("loss.alpha", "-1"),
        ("loss.beta", ".inf"),
        ("loss.gamma", ".nan"),
        ("loss.margin", "0"),
        ("loss.margin", "2.5"),
        ("loss.relaxation", "some"),
        ("loss.precision", "fp16"),
        ("loss.triplet.margin", "0"),
        ("loss.adamine.class_weight", "-1"),
        ("loss.cme", "0.9"),
        ("train.optimizer", "newton"),
        ("train.lr", "0"),
        ("train.lr", ".inf"),
        ("train.text_lr_factor", "0"),
        ("train.momentum", "1"),
        ("train.weight_decay", "-0.1"),
        ("train.schedule", "linear"),
        ("train.batch_size", "0"),
        ("train.steps", "-1"),
        ("train.steps", "0"),
        ("train.validate_every", "0"),
        ("machine.checkpoint_minutes", "-1"),
        ("train.monitor", "loss"),
        ("train.seed", "-1"),
        ("train.device", "tpu"),
        ("evaluate.k", "[]"),
        ("evaluate.k", "[0]"),
        ("evaluate.hp_k", "[1.5]"),
        ("evaluate.confusions", "1"),
        ("evaluate.gallery", "0"),
        ("evaluate.seed", "-1"),
        ("attributes.predict", "colour"),
        ("attributes.predict", "[colour, colour]"),
        ("attributes.predict", "[colour, colour_probability]"),
        ("attributes.predict", '[""]'),
        ("attributes.fewest", "1"),
        ("index.words.mode", "bm25"),
        ("index.words.weight", "0"),
    ],
)
def test_an_impossible_value_is_one_line_with_key_and_value(params_with, key, text):
    (line,) = mistakes(params_with(key, text))
    found = re.fullmatch(r"(?P<key>[\w.]+): got (?P<found>.+?); (?P<allowed>.+)", line)
    # A wrong entry of a list is named by its place in the list.
    assert re.sub(r"\.\d+$", "", found["key"]) == key
    assert len(found["allowed"]) > 10
    name = key.partition(".")[0]
    with pytest.raises(InputError, match=re.escape(line)):
        load_section(params_with(key, text), name, SECTIONS[name])


def test_a_backbone_without_its_source_is_told_the_sources(params_with):
    (line,) = mistakes(params_with("image.backbone", "resnet18"))
    sources = ", ".join(f"{source}/..." for source in BACKBONE_SOURCES)
    assert line == f"image.backbone: got 'resnet18'; a source and a name are expected: {sources}"


def test_mistakes_of_all_sections_are_listed_together(params_with):
    path = params_with("loss.betta", "1")
    text = re.sub(r"^  steps: auto", "  steps: -1", path.read_text(), flags=re.MULTILINE)
    path.write_text(text.replace("\nmodel:", "\nmodell:"))
    lines = mistakes(path)
    assert len(lines) == 4
    assert lines[0].startswith("modell: unknown section; known: catalog, split, ")
    assert lines[1] == "section model is missing"
    assert lines[2] == "loss.betta: unknown key; did you mean beta?"
    assert lines[3].startswith("train.steps: got -1; ")


def test_a_list_of_another_length_is_told_in_plain_words(params_with):
    assert mistakes(params_with("evaluate.k", "[]")) == [
        "evaluate.k: got []; at least 1 entry expected"
    ]
    assert mistakes(params_with("graph.blend.encoders", "[path, glove, sentence]")) == [
        "graph.blend.encoders: got ['path', 'glove', 'sentence']; at most 2 entries expected"
    ]


def test_what_is_predicted_is_kept(params_with):
    path = params_with("attributes.predict", "[colour, season]")
    path.write_text(path.read_text().replace("keep: []", "keep: [brand, season]"))
    assert mistakes(path) == [
        "attributes.predict: colour is not in catalog.columns.keep: [brand, season]; add it there"
    ]


def test_the_reference_graph_loss_has_no_bf16(params_with):
    path = params_with("loss.precision", "bf16")
    path.write_text(path.read_text().replace("kernel: auto", "kernel: reference"))
    (line,) = mistakes(path)
    assert line == "machine.kernel: reference has loss.precision fp32 only, got bf16"
