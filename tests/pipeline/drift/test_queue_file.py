import csv

import pytest

from pipeline.core.errors import InputError
from pipeline.drift.queue_file import OWN, PLAIN, QueueFile, QueueItem, Said

USUAL = {"image": "picture", "text": "name", "classes": "path"}


def row(text, image="", **more):
    return {"image": image, "text": text, "suggested": "bags", "probability": "0.4000"} | more


@pytest.fixture
def file(tmp_path):
    file = QueueFile.named(tmp_path / "drift" / "queue.csv", USUAL)
    rows = [row("red, bag", "a.png", suggested_2="hats<big", probability_2="0.3000", near="no")]
    file.renew([*rows, row("belt", like_it="6", source="new.csv, row 2"), row("shoe")])
    return file


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as read:
        return list(csv.DictReader(read))


def test_the_queue_is_a_table_with_the_catalogues_columns(file):
    first, second, _ = rows_of(file.path)
    assert list(first) == ["picture", "name", "path", *OWN]
    assert (first["picture"], first["name"], first["path"]) == ("a.png", "red, bag", "")
    assert second["like_it"] == "6"
    assert file.read()[:2] == [
        QueueItem(
            *("a.png", "red, bag", (("bags", "0.4000"), ("hats<big", "0.3000")), True, "", ""),
            Said(),
        ),
        QueueItem("", "belt", (("bags", "0.4000"),), False, "6", "new.csv, row 2", Said()),
    ]


@pytest.mark.parametrize("usual", [{}, {"image": "image", "text": "near", "classes": "path"}])
def test_columns_have_plain_names_where_the_catalogues_do_not_do(tmp_path, usual):
    assert QueueFile.named(tmp_path / "queue.csv", usual).columns == PLAIN


def test_what_is_said_is_in_the_file_at_once_and_can_be_taken_back(file):
    assert file.say("a.png", "red, bag", Said("hats<big")) == Said()
    assert file.say("", "belt", Said(decision="none")) == Said()
    assert file.say("", "shoe", Said(decision="skip")) == Said()
    assert [one.said for one in file.read()] == [
        Said("hats<big"),
        Said("", "none"),
        Said("", "skip"),
    ]
    assert [one.text for one in file.decided()] == ["red, bag", "belt"]
    assert file.labelled.name == "queue_labelled.csv"
    assert file.labelled.read_text() == 'picture,name,path\na.png,"red, bag",hats<big\n'
    before = file.say("a.png", "red, bag", Said("bags"))
    assert before == Said("hats<big")
    file.say("a.png", "red, bag", before)
    assert rows_of(file.labelled) == [{"picture": "a.png", "name": "red, bag", "path": "hats<big"}]
    file.say("a.png", "red, bag", Said())
    assert rows_of(file.labelled) == []


def test_a_new_queue_keeps_what_is_decided(file):
    file.say("", "belt", Said("belts"))
    file.say("", "shoe", Said(decision="skip"))
    file.renew([row("glove")])
    assert [(one.text, one.said) for one in file.read()] == [
        ("belt", Said("belts")),
        ("glove", Said()),
    ]
    assert file.read()[0].source == "new.csv, row 2"


def test_what_people_write_by_hand_counts_and_stays(file):
    lines = ["name,path,note,picture", "belt, belts ,mine,", "shoe"]
    file.path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    assert [(one.text, one.said, one.suggestions) for one in file.read()] == [
        ("belt", Said("belts"), ()),
        ("shoe", Said(), ()),
    ]
    assert file.write_labelled() == 1
    file.say("", "shoe", Said(decision="none"))
    assert file.path.read_text() == (
        "name,path,note,picture,decision\nbelt, belts ,mine,,\nshoe,,,,none\n"
    )
    assert rows_of(file.labelled) == [{"picture": "", "name": "belt", "path": " belts "}]


def test_mistakes_are_told(file, tmp_path):
    with pytest.raises(InputError, match=r"queue\.csv does not have this item any more; start"):
        file.say("", "glove", Said("gloves"))
    missing = QueueFile.named(tmp_path / "no.csv", {})
    with pytest.raises(InputError, match=r"no\.csv: not found"):
        missing.read()
    assert missing.decided() == []
    other = QueueFile.named(file.path, {})
    with pytest.raises(InputError, match=r"queue\.csv: no column image, text, classes; it has"):
        other.read()
    file.path.write_text("name,path,picture,decision\nbelt,,,what\n")
    with pytest.raises(InputError, match=r"row 1: decision 'what' is none of none, skip, or noth"):
        file.read()


def test_an_item_is_the_same_whatever_a_spreadsheet_made_of_its_line_ends(file):
    rows = [row("red\r\nbag ", "a.png"), row("a\rb"), row("a\nb"), row("x" * 200_000)]
    assert file.renew(rows) == 3
    assert [one.text for one in file.read()] == [rows[0]["text"], "a\rb", "x" * 200_000]
    file.path.write_bytes(file.path.read_bytes().replace(b"red\r\nbag ", b"red\nbag"))
    file.say("a.png", "red\r\nbag ", Said("bags"))
    assert file.renew(rows) == 2, "one is decided"
    assert [one.said for one in file.read()] == [Said("bags"), Said(), Said()]


def test_no_column_of_a_person_is_lost(file):
    file.path.write_text("name,path,note,picture,note\nbelt,,mine,,\nshoe,,too,,\n")
    file.say("", "shoe", Said("shoes"))
    assert [one["note"] for one in rows_of(file.path)] == ["mine", "too"]
