import sys

from tests.hub_server import TOKEN, hub_server


def test_what_would_be_published_is_shown_first(finished_project):
    """Nobody listens at the hub's address: nothing is sent."""
    result = finished_project.huse("publish", "shop/emoji", "--license", "mit", "--dry-run")
    assert result.exit_code == 0, result.output
    card, files = result.stdout.split("publish: ")
    assert card.startswith("---\n")
    assert "model/model.safetensors" in files
    assert "index/" not in files
    with_index = ["publish", "shop/emoji", "--license", "mit", "--include-index", "--dry-run"]
    assert "index/index.faiss" in finished_project.huse(*with_index).stdout


def test_a_model_is_published(finished_project, tmp_path, monkeypatch):
    with hub_server() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        monkeypatch.setenv("HF_HOME", str(tmp_path))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
        command = (sys.executable, "-m", "stages", "publish", "shop/emoji", "--license", "mit")
        said = finished_project.succeed(*command, "--public")
        assert said.startswith(f"publish: {hub.address}/shop/emoji/commit/")
        assert "model/model.json" in hub.tree("shop/emoji")
        assert not hub.repositories["shop/emoji"].private
        monkeypatch.setenv("HF_TOKEN", "hf_another")
        refused = finished_project.run(*command)
        assert refused.returncode == 1
        assert refused.stderr.startswith("error: shop/emoji: ")
        assert "HF_TOKEN" in refused.stderr


def test_a_model_that_is_not_there_is_told(finished_project):
    said = finished_project.refuse("publish", "a/b", "--license", "mit", "--model", "nowhere")
    assert "not found" in said
