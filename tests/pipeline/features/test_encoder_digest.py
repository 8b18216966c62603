import pytest

from pipeline.core.errors import InputError
from pipeline.features.encoder_digest import check_encoder, encoder_digest


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "encoder"
    (folder / "glove").mkdir(parents=True)
    (folder / "glove" / "words.json").write_text("[]")
    (folder / "text_encoder.json").write_text("{}")
    return folder


def test_the_same_files_have_the_same_digest_wherever_they_lie(folder, tmp_path):
    before = encoder_digest(folder)
    assert encoder_digest(folder.rename(tmp_path / "elsewhere")) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "glove" / "words.json").write_text("[ ]"),
        lambda folder: (folder / "glove" / "words.json").unlink(),
        lambda folder: (folder / "glove" / "more.json").write_text(""),
        lambda folder: (folder / "glove").rename(folder / "tfidf"),
    ],
)
def test_any_change_of_a_file_gives_another_digest(folder, change):
    before = encoder_digest(folder)
    check_encoder(folder, before, "")
    change(folder)
    assert encoder_digest(folder) != before
    with pytest.raises(InputError, match="different runs: run it again"):
        check_encoder(folder, before, "run it again")


def test_an_encoder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere: not found; run the stage"):
        encoder_digest(tmp_path / "nowhere")


def test_features_of_an_earlier_version_name_none(folder):
    check_encoder(folder, None, "")
