"""One cell of the comparison: train one objective with one setting and seed."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.core.params import read_params
from stages.train import main as train

PARAMS = Path("params.yaml")


def artifacts() -> dict[str, Path]:
    """Where the main pipeline's artifacts are, by the train command's option names.

    Returns:
        Paths below the folder that params.yaml names.
    """
    data = Path(read_params(PARAMS)["data"])
    return {
        "items": data / "catalog/items.parquet",
        "splits": data / "catalog/splits.parquet",
        "groups": data / "catalog/groups.parquet",
        "classes": data / "catalog/classes.json",
        "image_features": data / "features/image.parquet",
        "text_features": data / "features/text.parquet",
    }


def train_cell(objective: str, setting: dict[str, Any], seed: int, folder: Path) -> None:
    """Train exactly as the main pipeline does.

    Args:
        objective: Value of loss.objective.
        setting: Other parameters by dotted name.
        seed: Value of train.seed.
        folder: Where the model and the curves go.
    """
    experiment = read_params(PARAMS)
    values = read_params(Path(experiment["project"]))
    values["train"].update(experiment["train"], seed=seed)
    values["loss"]["objective"] = objective
    for name, value in setting.items():
        *sections, key = name.split(".")
        node = values
        for section in sections:
            node = node[section]
        node[key] = value
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "params.yaml").open("w", encoding="utf-8") as stream:
        YAML().dump(values, stream)
    data = Path(experiment["data"])
    train(
        params=folder / "params.yaml",
        **artifacts(),
        image_encoder=data / "features/image_encoder",
        class_names=data / "features/class_names.parquet",
        text_encoder=data / "features/text_encoder",
        graph=data / "graph",
        out=folder / "model",
        curves=folder / "curves",
    )
