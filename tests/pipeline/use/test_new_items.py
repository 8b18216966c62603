import numpy as np
import pandas as pd
import pytest

from pipeline.core.errors import InputError
from pipeline.use import new_items as table_module
from pipeline.use.new_items import BadRow, read_items, refuse_if_empty, rejected_writer


def fused(huse, batch):
    return huse.embed_features(batch.features).fused_ND


def test_usable_rows_are_used_and_the_others_listed(huse, table, picture_folder, picture_names):
    (batch,) = read_items(huse, table, picture_folder, {})
    first, second, _ = picture_names
    place = f"the folder {picture_folder}; give the folder of the pictures with --images"
    assert batch.items == [(1, first, "red heart"), (2, "", "blue heart"), (3, second, "")]
    assert [(bad.row, bad.reason) for bad in batch.rejected] == [
        (4, f"image not found in {place}"),
        (5, "no image and no text"),
        (6, "3 fields where the column names are 2"),
        (7, f"image lies outside {place}"),
    ]
    wanted = huse.embed(
        [picture_folder / first, None, picture_folder / second], ["red heart", "blue heart", None]
    )
    assert np.allclose(fused(huse, batch), wanted.fused_ND, atol=1e-6)


def test_pictures_may_be_on_another_filesystem(huse, table, picture_folder, picture_names, bucket):
    for name in picture_names:
        (bucket / name).write_bytes((picture_folder / name).read_bytes())
    (there,) = read_items(huse, table, bucket, {})
    (here,) = read_items(huse, table, picture_folder, {})
    assert there.items == here.items
    reasons = [bad.reason.replace(str(bucket), str(picture_folder)) for bad in there.rejected]
    assert reasons == [bad.reason for bad in here.rejected]
    assert np.array_equal(fused(huse, there), fused(huse, here))


def test_small_batches_give_the_same(huse, table, picture_folder, monkeypatch):
    (whole,) = read_items(huse, table, picture_folder, {})
    monkeypatch.setattr(table_module, "BATCH", 2)
    parts = list(read_items(huse, table, picture_folder, {}))
    assert [len(part.items) + len(part.rejected) for part in parts] == [2, 2, 2, 1]
    assert [item for part in parts for item in part.items] == whole.items
    assert [bad for part in parts for bad in part.rejected] == whole.rejected
    fused_ND = np.concatenate([fused(huse, part) for part in parts])
    assert np.allclose(fused_ND, fused(huse, whole), atol=1e-6)


def test_folders_in_front_of_pictures_are_settled_for_the_whole_table(
    huse, picture_folder, picture_names, tmp_path, monkeypatch
):
    first, second, third = picture_names
    (tmp_path / "new.csv").write_text(
        f"image\nold/{first}\n{second}\nother/old/{third}\nold/{third}\n", encoding="utf-8"
    )
    # The first batch names no picture twice; the table as a whole decides.
    monkeypatch.setattr(table_module, "BATCH", 1)
    lines = []
    batches = list(read_items(huse, tmp_path / "new.csv", picture_folder, {}, warn=lines.append))
    assert [item.image for batch in batches for item in batch.items] == [first, second, third]
    (bad,) = [bad for batch in batches for bad in batch.rejected]
    assert bad.row == 3
    assert "it is there without its first 2 folders" in bad.reason
    assert "names of pictures are read without their first folder" in lines[-1]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_a_table_of_texts_alone_needs_no_pictures(huse, tmp_path, ending):
    frame = pd.DataFrame({"title": ["red heart", "blue heart"], "classes": ["a", "b"]})
    path = tmp_path / f"new.{ending}"
    if ending == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif ending == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="," if ending == "csv" else "\t")
    (batch,) = read_items(huse, path, tmp_path / "nowhere", {"text": "title"})
    assert [item.text for item in batch.items] == ["red heart", "blue heart"]
    assert not batch.features.has_image.any()


def test_a_broken_picture_keeps_its_row_out(huse, tmp_path):
    (tmp_path / "x.png").write_bytes(b"x")
    (tmp_path / "new.csv").write_text("image,text\nx.png,heart\n", encoding="utf-8")
    (batch,) = read_items(huse, tmp_path / "new.csv", tmp_path, {})
    assert batch.items == []
    assert len(batch.features) == 0
    assert "not a picture in a known format" in batch.rejected[0].reason


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("price\n3\n", {}, r"no column 'image', 'text' in .*; it has price"),
        ("text\nheart\n", {"text": "title"}, r"--text-column: no column 'title'"),
        ("image,text\nx.png,heart\n", {}, r"--images: .*nowhere not found"),
        ("text\nheart\n", {"image": "text"}, r"--text-column: 'text' would be read as both"),
        ("text\ncaf\udce9\n", {}, r"^table: .* is not UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used_is_told(huse, tmp_path, content, columns, message):
    path = tmp_path / "new.csv"
    path.write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(InputError, match=message):
        list(read_items(huse, path, tmp_path / "nowhere", columns))


def test_rejected_rows_are_written_with_their_reasons(tmp_path):
    rows = [BadRow(3, "x.png", "two\nlines", "broken"), BadRow(5, "", "", "empty")]
    with rejected_writer(tmp_path / "bad.csv") as write:
        write(rows[:1])
        write(rows[1:])
    frame = pd.read_csv(tmp_path / "bad.csv", keep_default_na=False)
    assert list(frame.itertuples(index=False, name=None)) == rows


def test_a_table_without_a_usable_row_is_an_error(tmp_path):
    refuse_if_empty(1, None, tmp_path / "new.csv")
    with pytest.raises(InputError, match=r"no row can be used; the reasons are in .*bad\.csv"):
        refuse_if_empty(0, tmp_path / "bad.csv", tmp_path / "new.csv")


def test_several_pictures_of_a_row_are_pooled_and_those_that_cannot_be_used_are_told(
    huse, picture_folder, picture_names, tmp_path
):
    first, second, third = picture_names
    for name in picture_names:
        (tmp_path / name).write_bytes((picture_folder / name).read_bytes())
    (tmp_path / "copy.png").write_bytes((picture_folder / second).read_bytes())
    (tmp_path / "broken.png").write_bytes(b"no picture")
    rows = [
        f"{first}; {second};{second};copy.png,red heart",
        f"broken.png;{third};nowhere.png,blue heart",
        "broken.png;nowhere.png,green heart",
        "nowhere.png;gone.png,black heart",
        " ; ,white heart",
    ]
    (tmp_path / "new.csv").write_text("\n".join(["image,text", *rows]) + "\n", encoding="utf-8")
    lines = []
    (batch,) = read_items(
        huse, tmp_path / "new.csv", tmp_path, {}, separator_images=";", warn=lines.append
    )
    # What an item is named by are the pictures that are there, readable or not.
    texts = ["red heart", "blue heart", "white heart"]
    assert batch.items == list(zip([1, 2, 5], [first, third, ""], texts, strict=True))
    assert batch.pictures == [[first, second, "copy.png"], ["broken.png", third], []]
    wanted = huse.embed(
        [[picture_folder / first, picture_folder / second], picture_folder / third, None],
        texts,
    )
    assert np.allclose(fused(huse, batch), wanted.fused_ND, atol=1e-6)
    assert [(bad.row, bad.reason.partition(" in the folder")[0]) for bad in batch.rejected] == [
        (3, f"{tmp_path / 'broken.png'}: not a picture in a known format"),
        (4, "image not found"),
    ]
    (line,) = lines
    assert line.startswith("3 pictures are left out of items that have others, such as ")
