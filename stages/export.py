"""Trained model -> ONNX."""

from pathlib import Path
from typing import Annotated

import typer

from stages.command import ModelPath, run
from stages.paths import MODEL


def main(
    out: Annotated[Path, typer.Option(help="ONNX file to write.")] = Path("model.onnx"),
    model: ModelPath = MODEL,
) -> None:
    """Export both towers and the classifier as one ONNX graph, checked against torch."""
    from pipeline.model.model_file import load_model
    from pipeline.model.onnx_file import export_onnx

    difference = export_onnx(load_model(model), out)
    typer.echo(f"export: {out}; differs from torch by at most {difference:.1e}")


if __name__ == "__main__":
    run(main)
