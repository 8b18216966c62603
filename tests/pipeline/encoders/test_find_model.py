import pytest

from pipeline.core.errors import InputError
from pipeline.encoders.find_model import files_here, locate_model, one_line


def test_a_packaged_model_and_a_folder_are_found(tmp_path):
    assert locate_model(str(tmp_path)) == str(tmp_path)
    assert locate_model("packaged/all_minilm_l6_v2").endswith("model")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("packaged/bert", "unknown; known: packaged/all_minilm_l6_v2, packaged/multilingual_e5"),
        ("packaged/muse_v3", "name it in text.sentence.model or graph.sentence.model"),
        ("./absent", "there is no such folder"),
        ("a/b/c", "there is no such folder"),
        ("no spaces allowed", "neither a folder nor a model of the Hugging Face hub"),
        # Unknown where there is a network; out of reach where there is none.
        ("no-such-organisation-qq/no-such-model", "Hugging Face hub"),
    ],
)
def test_a_model_that_is_not_there_is_one_line(name, message):
    with pytest.raises(InputError) as caught:
        locate_model(name)
    assert str(caught.value).startswith(f"text model {name}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_of_a_model_are_found_without_asking_the_hub(tmp_path, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    here = tmp_path / "models--mine--bert"
    (here / "snapshots" / "abc").mkdir(parents=True)
    (here / "snapshots" / "abc" / "config.json").write_text("{}")
    (here / "refs").mkdir()
    (here / "refs" / "main").write_text("abc")
    assert files_here(str(tmp_path)) == tmp_path
    assert files_here("packaged/all_minilm_l6_v2").name == "model"
    assert files_here("mine/bert") == here / "snapshots" / "abc"
    assert files_here("mine/other") is None
    assert files_here("no spaces allowed") is None
    with pytest.raises(InputError, match="there is no such folder"):
        files_here("./absent")


def test_whatever_a_library_raises_is_one_line():
    with (
        pytest.raises(InputError, match=r"model x: cannot be loaded \(KeyError: 'a b'\)"),
        one_line("x"),
    ):
        raise KeyError("a b")
    with pytest.raises(InputError, match=r"^already clear$"), one_line("x"):
        raise InputError("already clear")
