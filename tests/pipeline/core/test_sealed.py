import pyarrow as pa
import pytest

from pipeline.core.sealed import read_sealed, seal

TABLE = pa.table({"key": ["a", "b"], "value": [1, 2]})


@pytest.fixture
def sealed(tmp_path):
    name, data = seal(TABLE)
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_a_table_comes_back(sealed):
    assert read_sealed(sealed).equals(TABLE)


def test_the_same_table_has_the_same_name_and_another_one_another():
    assert seal(TABLE)[0] == seal(TABLE)[0] != seal(TABLE.slice(1))[0]


def test_any_changed_byte_is_noticed(sealed):
    whole = sealed.read_bytes()
    for place in range(len(whole)):
        sealed.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert read_sealed(sealed) is None, place


@pytest.mark.parametrize("end", [0, 1, 100, -1])
def test_a_file_that_was_cut_off_is_noticed(sealed, end):
    sealed.write_bytes(sealed.read_bytes()[:end])
    assert read_sealed(sealed) is None


def test_a_file_that_is_not_there_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_sealed(tmp_path / "nowhere.arrow")
