import torch

from pipeline.encoders.model_digest import library_versions, model_digest, weights_digest


def test_the_digest_tells_weights_apart():
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    before = weights_digest(model)
    assert weights_digest(model.to(torch.float64).to(torch.float32)) == before
    with torch.no_grad():
        model.bias[0] += 1
    assert weights_digest(model) != before
    assert weights_digest(model.to(torch.bfloat16))


def test_models_of_the_same_weights_are_told_apart_by_their_small_files(tmp_path):
    (tmp_path / "1_Pooling").mkdir()
    pooling = tmp_path / "1_Pooling" / "config.json"
    pooling.write_text('{"pooling_mode_mean_tokens": true}')
    (tmp_path / "README.md").write_text("before")
    before = model_digest("abc", str(tmp_path))
    (tmp_path / "README.md").write_text("after")
    assert model_digest("abc", str(tmp_path)) == before
    assert model_digest("abd", str(tmp_path)) != before
    pooling.write_text('{"pooling_mode_cls_token": true}')
    assert model_digest("abc", str(tmp_path)) != before


def test_models_without_a_folder_are_told_apart_by_their_version():
    assert model_digest("abc", None, "ViT-B-32") != model_digest("abc", None, "ViT-B-32-quickgelu")


def test_libraries_are_told_with_their_versions():
    assert library_versions("open_clip_torch").startswith("open_clip_torch 3.")
    assert f"torch {torch.__version__.partition('+')[0]}" in library_versions("open_clip_torch")
