import os
import shutil
import threading
import weakref
from itertools import pairwise

import pytest

from pipeline.core.errors import InputError
from pipeline.use.added_file import added_path
from pipeline.use.current import Current, Followed, Stored


@pytest.fixture
def stored(project):
    """The model of a project of the test's own."""
    return Stored(project.root / "data" / "model", project.root / "data" / "index")


def test_a_model_that_was_read_needs_its_files_no_more(project, stored, picture_folder):
    model = stored.load(pytest.fail)
    picture = min(picture_folder.iterdir())
    shutil.rmtree(project.root / "data" / "model")
    shutil.rmtree(project.root / "data" / "index")
    for pictures, texts in (([picture], ["red heart"]), ([picture], None), (None, ["xyzzyx"])):
        v = model.embed(pictures, texts)
        assert len(model.near(v)) == 1
        assert len(model.search(v, 3, where="text != ''")[0]) == 3


def test_what_only_classifies_need_not_be_whole_for_a_search(stored):
    (stored.model / "validation.safetensors").write_bytes(b"damaged")
    stored.load(pytest.fail)
    with pytest.raises(InputError, match="does not answer"):
        stored.load(pytest.fail, classifies=True)


@pytest.mark.parametrize("place", ["model/model.json", "index/words/new", "index_changes/1/new"])
def test_a_file_that_came_or_went_or_was_written_is_seen(project, stored, place):
    path = project.root / "data" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    states = [stored.state()]
    path.write_bytes(b"{}")
    states.append(stored.state())
    os.utime(path, ns=(1, 1))
    states.append(stored.state())
    path.unlink()
    states.append(stored.state())
    assert all(one != other for one, other in pairwise(states))
    assert stored.state() == states[-1]


def test_added_classes_are_seen_and_what_is_being_written_is_not(stored):
    before = stored.state()
    added_path(stored.model).write_bytes(b"")
    assert stored.state() != before
    added_path(stored.model).unlink()
    (stored.index / ".index.json.12.tmp").write_bytes(b"{")
    half = stored.index / ".words.12.tmp"
    half.mkdir()
    (half / "x").write_bytes(b"")
    assert stored.state() == before


def test_another_model_takes_the_place_and_a_failed_one_does_not():
    models = iter(["first", "second", InputError("missing"), KeyError("half\nwritten"), "third"])

    def load():
        model = next(models)
        if isinstance(model, Exception):
            raise model
        return model

    current = Current(load)
    assert current.reload() == "second"
    with pytest.raises(InputError, match="missing"):
        current.reload()
    with pytest.raises(InputError, match=r"KeyError: 'half\\nwritten'"):
        current.reload()
    assert current.loaded == "second"
    assert current.reload() == "third"


def test_a_model_whose_place_was_taken_is_gone(stored, picture_folder):
    current = Current(lambda: stored.load(pytest.fail, classifies=True))
    old = weakref.ref(current.loaded)
    v = old().embed([min(picture_folder.iterdir())], ["red heart"])
    old().classify(v)
    assert len(old().search(v, 3)[0]) == 3
    with pytest.raises(InputError):
        old().search(v, 1, within="no such class")
    current.reload()
    assert old() is None


class Files:
    """What is read, and how it is looked at."""

    def __init__(self):
        self.content, self.reads = "first", 0

    def state(self):
        return self.content

    def load(self):
        self.reads += 1
        if self.content.startswith("bad"):
            raise InputError(self.content.partition(",")[0])
        return self.content


def test_it_is_read_again_when_it_has_changed_and_only_then():
    files = Files()
    followed = Followed(files.load, files.state, pytest.fail)
    assert [followed.latest(), followed.latest(), files.reads] == ["first", "first", 1]
    files.content = "second"
    assert [followed.latest(), followed.latest(), files.reads] == ["second", "second", 2]


def test_the_one_before_goes_on_and_each_reason_is_told_once():
    files, told = Files(), []
    followed = Followed(files.load, files.state, told.append)
    for content in ("bad", "bad", "bad, half", "bad, more", "bad other"):
        files.content = content
        assert followed.latest() == "first"
    assert told == ["bad", "bad other"]
    assert files.reads == 5, "not again while nothing changes"
    files.content = "second"
    assert followed.latest() == "second"
    files.content = "bad"
    assert followed.latest() == "second"
    assert told == ["bad", "bad other", "bad"]


def test_what_changes_while_it_is_read_is_read_again():
    files = Files()

    def load():
        found = files.load()
        if files.reads == 1:
            files.content = "second"
        return found

    followed = Followed(load, files.state, pytest.fail)
    assert followed.latest() == "second"


def test_requests_at_the_same_time_read_once_and_all_see_it():
    files, found = Files(), []
    followed = Followed(files.load, files.state, pytest.fail)
    files.content = "second"
    threads = [threading.Thread(target=lambda: found.append(followed.latest())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, files.reads) == (["second"] * 8, 2)
