import pytest

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import InputError


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fail_halfway(path, error, *, in_folder=False):
    with atomic_path(path) as temporary:
        if in_folder:
            temporary.mkdir()
            temporary /= "new.txt"
        temporary.write_text("half")
        raise error


def test_a_finished_file_takes_its_place_in_a_new_folder(tmp_path):
    path = tmp_path / "a" / "b" / "metrics.json"
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(path.parent) == ["metrics.json"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="decoder"):
        fail_halfway(path, RuntimeError("decoder"))
    assert path.read_text() == "old"
    assert names(tmp_path) == ["metrics.json"]


def test_an_interruption_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fail_halfway(tmp_path / "x", KeyboardInterrupt())
    assert names(tmp_path) == []


def test_a_folder_replaces_a_folder_as_a_whole(tmp_path):
    path = tmp_path / "sample"
    for content in ("old", "new"):
        with atomic_path(path) as temporary:
            temporary.mkdir()
            (temporary / f"{content}.txt").write_text(content)
    assert names(path) == ["new.txt"]
    assert names(tmp_path) == ["sample"]


def test_a_failure_leaves_the_old_folder(tmp_path):
    path = tmp_path / "sample"
    path.mkdir()
    (path / "old.txt").write_text("old")
    with pytest.raises(RuntimeError, match="decoder"):
        fail_halfway(path, RuntimeError("decoder"), in_folder=True)
    assert names(path) == ["old.txt"]
    assert names(tmp_path) == ["sample"]


def test_a_file_never_replaces_a_folder(tmp_path):
    # `huse clean_text --out data` must not delete the folder data.
    path = tmp_path / "data"
    path.mkdir()
    (path / "precious.csv").write_text("kept")
    with (
        pytest.raises(InputError, match=r"data: cannot be written"),
        atomic_path(path) as temporary,
    ):
        temporary.write_text("x")
    assert (path / "precious.csv").read_text() == "kept"
    assert names(tmp_path) == ["data"]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "data").write_text("a file where a folder is needed")
    path = tmp_path / "data" / "metrics.json"
    with pytest.raises(InputError) as caught, atomic_path(path) as temporary:
        temporary.write_text("x")
    assert str(caught.value).startswith(f"{path}: cannot be written (")
    assert names(tmp_path) == ["data"]


def test_a_name_the_disk_refuses_is_named(tmp_path):
    with (
        pytest.raises(InputError, match=r"cannot be written .*too long"),
        atomic_path(tmp_path / ("x" * 254)) as temporary,
    ):
        temporary.write_text("x")


def test_trouble_with_another_file_is_not_blamed_on_this_one(tmp_path):
    elsewhere = tmp_path / "pictures" / "1.png"
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "out" / "x") as temporary:
        temporary.write_bytes(elsewhere.read_bytes())
    assert names(tmp_path / "out") == []
