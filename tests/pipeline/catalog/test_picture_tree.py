import shutil

import pandas as pd
import pytest

from pipeline.catalog.picture_tree import read_picture_tree, words_of
from pipeline.catalog.rows import Source
from pipeline.core.errors import InputError


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def read(folder, encoding="utf-8"):
    return [tuple(row) for row in read_picture_tree(folder, "<", encoding, Source())]


def test_folders_are_the_class_path_and_names_the_text(tmp_path):
    put(tmp_path, "b/c d/two.PNG", "b/red_evening-dress 01.jpg", "a/x.jpeg", "top.webp")
    assert read(tmp_path) == [
        (1, ["a/x.jpeg", "x", "a"], ""),
        (2, ["b/c d/two.PNG", "two", "b<c d"], ""),
        (3, ["b/red_evening-dress 01.jpg", "red evening dress 01", "b"], ""),
        (4, ["top.webp", "top", ""], ""),
    ]


def test_a_text_of_the_same_name_is_the_text(tmp_path):
    put(tmp_path, "a/1.jpg", "a/2.jpg", "a/3.jpg", "a/4.v2.jpg", "a/readme.txt")
    (tmp_path / "a/1.txt").write_text("Red dress,\nwith pockets\n", encoding="utf-8-sig")
    (tmp_path / "a/2.txt").write_text(" \n")
    (tmp_path / "a/3.txt").write_text("Größe 42", encoding="cp1252")
    (tmp_path / "a/4.v2.txt").write_text("Fourth")
    rows = read(tmp_path)
    assert [values[1] for _, values, _ in rows] == [
        "Red dress,\nwith pockets\n",
        "2",
        "3",
        "Fourth",
    ]
    assert [bool(reason) for *_, reason in rows] == [False, False, True, False]
    assert "a/3.txt cannot be read as utf-8" in rows[2][2]
    assert read(tmp_path, "cp1252")[2][1][1] == "Größe 42"


def test_what_is_no_picture_or_hidden_is_no_row(tmp_path):
    put(tmp_path, "a/1.jpg", "a/Thumbs.db", "a/list.csv", ".git/2.jpg", "a/.3.jpg", "__x/4.jpg")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert [values[0] for _, values, _ in read(tmp_path)] == ["__x/4.jpg", "a/1.jpg"]


def test_a_folder_without_pictures_is_refused(tmp_path):
    put(tmp_path, "a/list.csv")
    with pytest.raises(InputError, match=r"catalog\.path: no picture \(\.avif, .* in the folder"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("red_evening-dress 01", "red evening dress 01"),
        ("Caf%C3%A9__cr%C3%A8me", "Café crème"),
        ("-v1.2-", "v1 2"),
        ("赤い ドレス", "赤い ドレス"),
    ],
)
def test_words_of_a_name(name, words):
    assert words_of(name) == words


def test_a_tree_of_folders_is_a_catalogue_if_its_pictures_are_the_catalogues(shop):
    table = pd.read_csv(shop.root / "catalog.csv")
    for image, text, path in table.itertuples(index=False):
        folder = shop.root / "photos" / path.replace("<", "/")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(shop.root / "pictures" / image, folder / f"{text.replace(' ', '_')}.png")
    shop.set({"catalog.path": "photos", "catalog.columns.group": "group"})
    assert shop.refuse("catalog") == (
        "catalog.images: pictures, but catalog.path is a folder, whose pictures are meant; "
        "set catalog.images: photos"
    )
    shop.set({"catalog.images": "photos"})
    result = shop.huse("catalog")
    assert result.exit_code == 0, result.output
    items = pd.read_parquet(shop.root / "data" / "catalog" / "items.parquet")
    assert set(zip(items["text"], items["class_path"], strict=True)) == set(
        zip(table["text"], table["classes"], strict=True)
    )
