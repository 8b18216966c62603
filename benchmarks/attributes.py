"""Attributes that are predicted: `python -m benchmarks.attributes --project PROJECT --table CSV`.

Stage `attributes` on the features that a project has, of columns that a table has beside them.
"""

from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import typer
from ruamel.yaml import YAML

from benchmarks.catalogs.cell import TABLES
from benchmarks.harness import environment, write_results
from pipeline.core.json_file import read_json
from pipeline.core.table import read_table
from pipeline.features.attributes import write_attributes
from pipeline.features.regression import MODALITIES
from stages import attributes
from stages.command import run
from stages.paths import PARAMS

RESULTS = Path("benchmarks/results")


def main(
    project: Annotated[Path, typer.Option(help="Project with features; it is not changed.")],
    table: Annotated[Path, typer.Option(help="CSV: `image` as in the catalogue, and columns.")],
    folder: Annotated[Path, typer.Option(help="Where everything is made.")] = Path(
        "data/attributes_benchmark"
    ),
) -> None:
    """Predict every column of the table, and measure on the project's test items."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = pa.csv.read_csv(
        table, convert_options=pa.csv.ConvertOptions(strings_can_be_null=True)
    )
    items = read_table(project / TABLES["items"], ["item_id", "image"])
    place_N = pc.index_in(pa.array(items["image"], pa.string()), columns["image"])
    joined = columns.drop_columns(["image"]).take(place_N)
    joined = joined.add_column(0, "item_id", pa.array(items["item_id"], pa.string()))
    write_attributes(folder / "attributes.parquet", joined)
    names = joined.column_names[1:]
    params = YAML().load(PARAMS)
    params["catalog"]["columns"]["keep"] = params["attributes"]["predict"] = names
    YAML().dump(params, folder / "params.yaml")
    attributes.main(
        params=folder / "params.yaml",
        attributes=folder / "attributes.parquet",
        out=folder / "heads",
        **{name: project / path for name, path in TABLES.items()},
    )
    found = read_json(folder / "heads/metrics.json")
    write_results(
        RESULTS / f"attributes_{project.name}",
        title="Attributes that are predicted",
        notes=[
            "`python -m benchmarks.attributes --project ... --table ...`: stage `attributes`, test "
            "items of one split; in brackets the 95 % interval over products",
            "values: those with at least `attributes.fewest` training items; a test item of "
            "another one counts as an error",
            "floor: accuracy of the value that most training items have",
            "probability: the mean that the head gives the value it names",
        ],
        columns={
            **{"attribute": "attribute", "values": "values", "items": "items", "floor": "floor"},
            **{name: name for name in MODALITIES},
            **{"macro_f1": "macro F1", "probability": "probability", "never": "never predicted"},
        },
        rows=[_row(name, found[name]) for name in names],
        environment=environment(),
    )


def _row(name: str, found: dict[str, Any]) -> dict[str, Any]:
    both = found["fused"]
    return {
        "attribute": name,
        "values": both["predicted_values"],
        "items": both["items"],
        "floor": both["floor"],
        **{modality: _accuracy(found[modality]) for modality in MODALITIES},
        "macro_f1": both["macro_f1"],
        "probability": both["probability"],
        "never": both["never_predicted"],
        "figures": found,
    }


def _accuracy(one: dict[str, Any]) -> str:
    low, high = one["interval"]
    return f"{one['accuracy']:.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    run(main)
