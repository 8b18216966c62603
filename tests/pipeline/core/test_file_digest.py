import hashlib

from pipeline.core.file_digest import file_digest, folder_digest


def test_a_file_is_told_by_its_content(tmp_path):
    (tmp_path / "a").write_bytes(b"weights")
    assert file_digest(tmp_path / "a") == hashlib.sha256(b"weights").hexdigest()


def test_a_folder_is_told_by_names_and_contents_of_all_its_files(tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"weights")
    before = folder_digest(tmp_path)
    assert folder_digest(tmp_path) == before
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text("{}")
    other = folder_digest(tmp_path)
    assert other != before
    (tmp_path / "1_Pooling").rename(tmp_path / "2_Pooling")
    assert folder_digest(tmp_path) not in (before, other)
    (tmp_path / "2_Pooling" / "config.json").unlink()
    assert folder_digest(tmp_path) == before
    (tmp_path / "weights.bin").write_bytes(b"other weights")
    assert folder_digest(tmp_path) != before


def test_a_folders_digest_is_what_models_of_earlier_versions_noted(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.json").write_bytes(b"{}")
    (tmp_path / "b.txt").write_bytes(b"weights")
    # sha256 over a line per file, `name digest`, by name: docs/model_format.md.
    expected = "eb5875611ed39191e541324b6675620bf5ff841dc656ee143e0b35a7c21a4692"
    assert folder_digest(tmp_path) == expected
