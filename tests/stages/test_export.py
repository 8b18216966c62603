import onnx


def test_a_checked_graph_is_written(project):
    result = project.huse("export", "--out", "new/model.onnx")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("export: new/model.onnx; differs from torch by at most ")
    onnx.checker.check_model(onnx.load(project.root / "new" / "model.onnx"))


def test_a_model_that_is_not_there_is_told(project):
    assert "not found" in project.refuse("export", "--model", "nowhere")
