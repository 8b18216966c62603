import gzip

import pytest

from pipeline.catalog import text_file
from pipeline.catalog.rows import Source
from pipeline.catalog.text_file import check_text, is_encoding, open_bytes, text_opener
from pipeline.core.errors import InputError

TEXT = "image,text\r\n1.jpg,Größe 猫\r\n"


def read(path, encoding="utf-8"):
    with text_opener(path, check_text(path, encoding, Source()))("") as text:
        return text.read()


@pytest.mark.parametrize("said", ["utf-8", "cp1252"])
@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-16-be with a mark"])
def test_a_byte_order_mark_is_believed_rather_than_the_user(tmp_path, mark, said):
    path = tmp_path / "x.csv"
    start = "\ufeff" if "with" in mark else ""
    path.write_bytes((start + TEXT).encode(mark.split()[0]))
    assert read(path, said) == TEXT


def test_the_encoding_of_a_checked_text_keeps_its_mark(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xff\xfe" + TEXT.encode("utf-16-le"))
    assert path.read_bytes().decode(check_text(path, "utf-8", Source())) == "\ufeff" + TEXT


def test_another_encoding_is_read_where_it_is_named(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("Größe, 5 €".encode("cp1252"))
    assert read(path, "cp1252") == "Größe, 5 €"
    path.write_bytes("猫".encode("shift_jis"))
    assert read(path, "shift_jis") == "猫"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_what_is_not_utf_8_is_refused_with_the_place(tmp_path, mark):
    path = tmp_path / "x.csv"
    content = mark + b"image,text\n1.jpg,Bag\n2.jpg,Chlo\xe9\n"
    path.write_bytes(content)
    offset = content.index(b"\xe9")
    place = rf"byte 0xe9 in line 3 \(offset {offset}\)"
    with pytest.raises(InputError, match=f"x.csv is not UTF-8: {place}; if it came from Excel, "):
        read(path)


def test_excel_is_named_only_where_it_may_have_been(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"a\xe9\x81")  # no character of cp1252
    with pytest.raises(InputError, match=r"save it as UTF-8, or set catalog.encoding: what it is"):
        read(path)


def test_an_option_is_named_as_an_option(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"Chlo\xe9")
    with pytest.raises(InputError, match=r"table: .*x\.csv is not .*give --encoding cp1252$"):
        check_text(path, "utf-8", Source("table", form="give --{} {}"))


def test_utf_8_that_is_said_to_be_something_else_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("Größe".encode())
    with pytest.raises(
        InputError, match=r"x.csv is UTF-8, not cp1252; set catalog.encoding: utf-8"
    ):
        read(path, "cp1252")
    path.write_bytes(b"plain")
    assert read(path, "cp1252") == "plain"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("chunk", [4, 6, 8, 2**20])
def test_damage_is_found_wherever_the_chunks_end(tmp_path, monkeypatch, chunk, encoding):
    monkeypatch.setattr(text_file, "CHUNK", chunk)
    path = tmp_path / "x.csv"
    good = TEXT.encode(encoding)
    path.write_bytes(good)
    assert read(path) == TEXT
    # The first two bytes of three, or half a pair; the character breaks off.
    path.write_bytes(good + (b"\xe7\x8c," if encoding == "utf-8" else b"\x00\xdcx\x00"))
    byte = "0xe7" if encoding == "utf-8" else "0x00"
    with pytest.raises(InputError, match=rf"byte {byte} in line 3 \(offset {len(good)}\)"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n \r\n"])
def test_a_blank_text_is_refused(tmp_path, content):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"catalog.path: .*x.csv is empty"):
        read(path)


def test_packed_texts_are_unpacked_and_damaged_ones_refused(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(TEXT.encode("utf-16")))
    assert read(path) == TEXT
    with open_bytes(path) as file:
        assert file.read() == TEXT.encode("utf-16")
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(InputError, match="cannot be read"):
        read(path)


def test_names_of_encodings():
    assert all(map(is_encoding, ("utf-8", "cp1252", "Latin1", "utf-16", "shift_jis")))
    assert not any(map(is_encoding, ("utf8mb4", "hex", "excel")))
