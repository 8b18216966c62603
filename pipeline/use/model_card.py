"""What a published model says of itself: the README.md of its repository.

Nothing is in it that was not measured or noted: where a file is missing, the card says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from pipeline.core.json_file import read_json_as
from pipeline.core.table import read_metadata
from pipeline.features.classes import item_classes
from pipeline.model.description import ModelDescription

TAGS = ["huse", "hierarchical-classification", "multimodal", "image-text-retrieval", "embeddings"]
TASK = "zero-shot-image-classification"
"""Of the hub's list of tasks, the nearest: none is of pictures and texts at once."""
LICENCES = {
    "packaged/efficientnet_lite0": "Apache-2.0",
    "packaged/efficientnet_lite2": "Apache-2.0",
    "packaged/glove_6b_50d": "PDDL-1.0 (public domain)",
    "packaged/all_minilm_l6_v2": "Apache-2.0",
    "packaged/muse_v3": "Apache-2.0",
    "packaged/multilingual_e5_small": "MIT",
}
"""Of what packages carry."""
UNKNOWN = "not known to this program: see its own page"
MOST_TOP = 30
"""Rows of the table of classes."""
FIGURES = {
    "accuracy": "accuracy of the class path, picture and text together",
    "classification.image.accuracy": "accuracy by the picture alone",
    "classification.text.accuracy": "accuracy by the text alone",
    "r_at_1": "R@1: the nearest is of the same class, mean of the directions",
    "retrieval.image_to_text.r_at_1": "R@1, from a picture to texts",
    "retrieval.text_to_image.r_at_1": "R@1, from a text to pictures",
    "map_at_r": "MAP@R, mean of the directions",
}
"""Of metrics.json; HP@K comes on top, whose K depends on the catalogue."""


class _Pictures(TypedDict):
    missing: float


class _Texts(TypedDict):
    missing: float
    median_words: float
    most_words: int
    languages: dict[str, int]


class _Summary(TypedDict):
    """What is read of summary.json."""

    items: int
    pictures: _Pictures
    texts: _Texts


class _Tested(TypedDict):
    items: int
    classes: int


class _Metrics(TypedDict):
    """What is read of metrics.json beside FIGURES."""

    test: _Tested


def model_card(
    name: str,
    description: ModelDescription,
    classes: Mapping[str, Any],
    data: Path,
    *,
    license: str,
    include_index: bool = False,
) -> str:
    """Write the card.

    Args:
        name: Of the repository.
        description: Of the model.
        classes: All that it knows, as `KnownClasses.classes` has them.
        data: The project's folder of artifacts: `catalog/summary.json` and `evaluate/` are read.
        license: As the hub abbreviates it, such as `cc-by-4.0`; `other` for any else.
        include_index: Whether the catalogue's index is published too.

    Returns:
        Markdown with metadata in front.

    Raises:
        InputError: A file that is read is damaged.
    """
    from huggingface_hub import ModelCardData

    summary = _read(data / "catalog" / "summary.json", _Summary, "run huse catalog")
    evaluated = data / "evaluate" / "embeddings.parquet"
    # Of another model, as after a training that was cut off, they would be a false promise.
    is_own = evaluated.is_file() and read_metadata(evaluated).get("model") == description.digest
    metrics = details = None
    if is_own:
        again = "run huse evaluate"
        metrics = _read(data / "evaluate" / "metrics.json", _Metrics, again)
        details = _read(data / "evaluate" / "details.json", dict[str, Any], again)
    languages = _languages(summary)
    metadata = ModelCardData(
        license=license,
        library_name="huse",
        pipeline_tag=TASK,
        tags=TAGS,
        language=[code for code, share in languages.items() if share >= 0.05] or None,
    )
    return _template().render(
        metadata=metadata.to_yaml().strip(),
        name=name,
        dimension=description.dimension,
        include_index=include_index,
        summary=summary,
        languages=", ".join(f"{code} {share:.0%}" for code, share in languages.items()) or "none",
        classes=_classes(classes, len(item_classes(description.classes))),
        figures=_figures(metrics or {}),
        tested=(metrics or {}).get("test"),
        baseline=_baseline(details or {}),
        backbones=_backbones(description.recipe),
    )


def _template() -> Any:
    # Every search imports this module with the model's class, and publishes nothing.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("pipeline.use", "templates"),
        # Markdown: what is filled in is numbers, names of models, and names of classes, made safe.
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["percent"] = "{:.1%}".format
    return environment.get_template("model_card.md")


def _read(path: Path, kind: Any, again: str) -> Any:
    return read_json_as(path, kind, again) if path.is_file() else None


def _languages(summary: Mapping[str, Any] | None) -> dict[str, float]:
    """Shares of the languages that can be told, the largest first; none below one in a hundred."""
    count = Counter((summary or {}).get("texts", {}).get("languages", {}))
    whole = sum(count.values())
    return {code: n / whole for code, n in count.most_common() if n / whole >= 0.01}


def _classes(classes: Mapping[str, Any], trained: int) -> dict[str, Any]:
    entries = item_classes(classes)
    depths = [len(entry["parts"]) for entry in entries]
    number, items = Counter[str](), Counter[str]()
    for entry in entries:
        number[entry["parts"][0]] += 1
        items[entry["parts"][0]] += int(entry["count"])
    rows = [
        {"name": _plain(name), "classes": number[name], "items": count}
        for name, count in items.most_common()
    ]
    return {
        "number": len(entries),
        "added": len(entries) - trained,
        "least_depth": min(depths),
        "most_depth": max(depths),
        "separator": classes["separator"],
        "top": rows[:MOST_TOP],
        "others": max(0, len(rows) - MOST_TOP),
    }


def _plain(name: str) -> str:
    """Make a name one that neither Markdown nor HTML takes for anything else."""
    return re.sub(r"([\\`*_{}\[\]<>|#&])", r"\\\1", " ".join(name.split()))


def _figures(metrics: Mapping[str, Any]) -> list[dict[str, str]]:
    hierarchy = {
        key: f"HP@{key.removeprefix('hp_at_')}: how near in the class tree the nearest are"
        for key in metrics
        if key.startswith("hp_at_")
    }
    rows = []
    for key, name in {**FIGURES, **hierarchy}.items():
        value = _leaf(metrics, key)
        ends = _leaf(metrics.get("intervals", {}), key)
        if value is not None:
            interval = f"{ends[0]:.3f} to {ends[1]:.3f}" if ends else ""
            rows.append({"name": name, "value": f"{value:.3f}", "interval": interval})
    return rows


def _leaf(tree: Mapping[str, Any], key: str) -> Any:
    """What stands in a tree under parts joined by dots; None where it has no such figure."""
    node: Any = tree
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def _baseline(details: Mapping[str, Any]) -> dict[str, Any] | None:
    found = _leaf(details, "baseline.fused")
    if found is None:
        return None
    low, high = found["interval"]
    return {
        "baseline": f"{found['baseline']:.3f}",
        "difference": f"{found['difference']:+.3f}",
        "interval": f"95 % interval {low:+.3f} to {high:+.3f}, paired by item",
        "certain": found["certain"],
    }


def _backbones(recipe: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the features were made by, with licences where they are known."""
    found = [("pictures", recipe["image"]["backbone"])]
    for key, value in recipe["text"].items():
        block, _, kind = key.partition(".")
        if kind in ("model", "vectors"):
            found.append((f"texts ({block})", value))
    return [
        {"part": part, "name": name, "licence": LICENCES.get(name, UNKNOWN)} for part, name in found
    ]
