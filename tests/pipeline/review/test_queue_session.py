import csv

import pytest

from pipeline.core.errors import InputError
from pipeline.drift.queue_file import QueueFile, Said
from pipeline.review.queue_session import QueueSession


@pytest.fixture
def file(tmp_path):
    file = QueueFile.named(tmp_path / "queue.csv", {})
    file.renew(
        {"image": f"{text}.png", "text": text, "suggested": "hats<big", "probability": "0.4000"}
        for text in "abcd"
    )
    return file


def begin(file):
    return QueueSession(file, ["bags", "bags", "shoes"], "<")


def said(file):
    return {one.text: one.said for one in file.read()}


def labelled(file):
    with file.labelled.open(encoding="utf-8", newline="") as read:
        return [(row["image"], row["classes"]) for row in csv.DictReader(read)]


def test_every_label_is_in_the_file_at_once(file):
    session = begin(file)
    assert session.classes == ["bags", "hats<big", "shoes"]
    session.decide(0, "label", " hats<  big ")
    assert said(file)["a"] == Said("hats<big")
    assert session.said == ""
    session.decide(1, "none")
    session.decide(2, "label", "coats")
    assert session.said == "That is a class that the catalogue does not have yet."
    assert labelled(file) == [("a.png", "hats<big"), ("c.png", "coats")]
    assert session.counts == {"label": 2, "none": 1}
    session.undo()
    session.undo()
    assert (session.place, said(file)["b"], said(file)["c"]) == (1, Said(), Said())
    assert labelled(file) == [("a.png", "hats<big")]


def test_a_second_start_goes_on_where_the_first_stopped(file):
    session = begin(file)
    session.decide(0, "skip")
    session.decide(1, "label", "bags")
    session.decide(2, "none")
    again = begin(file)
    assert [one.text for one in again.items] == ["d", "a"]
    assert again.left == 2
    again.decide(0, "label", "shoes")
    again.decide(1, "label", "bags")
    assert begin(file).left == 0
    again.undo()
    assert said(file)["a"] == Said("", "skip")


def test_labels_by_hand_are_among_the_labelled_rows_from_the_start(file):
    file.path.write_text("image,text,classes\na.png,a,bags\nb.png,b,\n")
    assert [one.text for one in begin(file).items] == ["b"]
    assert labelled(file) == [("a.png", "bags")]


@pytest.mark.parametrize("path", ["", "  ", "hats<", "<"])
def test_what_is_no_class_path_is_told(file, path):
    session = begin(file)
    before = file.path.read_bytes()
    session.decide(0, "label", path)
    assert session.said.startswith("Not written: class path ")
    assert (session.place, file.path.read_bytes()) == (0, before)


def test_a_file_that_was_replaced_meanwhile_is_told_and_the_item_stays(file):
    session = begin(file)
    file.renew([{"image": "", "text": "other"}])
    session.decide(0, "label", "bags")
    assert session.said == f"Not written: {file.path} does not have this item any more; start again"
    assert session.place == 0
    file.path.unlink()
    with pytest.raises(InputError, match="not found"):
        begin(file)
