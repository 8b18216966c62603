import pytest
import torch

from pipeline.core.errors import InputError
from pipeline.train.checkpoint import CheckpointFile

STATE = {
    "step": 3,
    "lr": 0.1,
    "nothing": None,
    "tensors": [torch.arange(3), torch.tensor(0.5, dtype=torch.bfloat16), torch.empty(0)],
    "nested": {"random": torch.get_rng_state(), "words": [("a", 1), ("b", 2)]},
}


def test_everything_comes_back(tmp_path):
    CheckpointFile(tmp_path / "run", "one").save(STATE)
    loaded = CheckpointFile(tmp_path / "run", "one").load()
    assert loaded["step"] == 3
    assert loaded["lr"] == 0.1
    assert loaded["nothing"] is None
    assert loaded["nested"]["words"] == [("a", 1), ("b", 2)]
    assert torch.equal(loaded["nested"]["random"], STATE["nested"]["random"])
    for found, expected in zip(loaded["tensors"], STATE["tensors"], strict=True):
        assert found.dtype == expected.dtype
        assert torch.equal(found, expected)


def test_tensors_that_share_memory_are_kept(tmp_path):
    shared = torch.arange(6.0)
    file = CheckpointFile(tmp_path, "one")
    file.save({"all": shared, "part": shared[2:4], "turned": shared.view(2, 3).T})
    loaded = file.load()
    assert loaded["part"].tolist() == [2, 3]
    assert loaded["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_a_checkpoint_of_another_run_is_not_loaded(tmp_path):
    CheckpointFile(tmp_path, "one").save(STATE)
    assert CheckpointFile(tmp_path, "other").load() is None


def test_the_latest_one_counts_and_removing_leaves_nothing(tmp_path):
    file = CheckpointFile(tmp_path / "run", "one")
    assert file.load() is None
    file.save({"step": 1})
    file.save({"step": 2})
    assert file.load() == {"step": 2}
    # A run that was killed while it wrote leaves a temporary file.
    (tmp_path / "run" / ".state.pt.123.tmp").write_bytes(b"half")
    assert file.load() == {"step": 2}
    file.remove()
    assert list(tmp_path.iterdir()) == []
    file.remove()


class Evil:
    def __reduce__(self):
        return print, ("unpickled",)


@pytest.mark.parametrize(
    "damage",
    [
        *(lambda whole, length=length: whole[:length] for length in (0, 40, 400, -1)),
        lambda whole: whole.replace(b"fingerprint", b"\xffingerprint"),
    ],
)
def test_a_damaged_file_says_what_to_do(tmp_path, damage):
    file = CheckpointFile(tmp_path, "one")
    file.save(STATE)
    (path,) = tmp_path.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match=r"state\.pt: damaged checkpoint .*; delete it"):
        file.load()


def test_code_in_a_file_is_not_run(tmp_path, capsys):
    torch.save({"fingerprint": "one", "state": Evil()}, tmp_path / "state.pt")
    with pytest.raises(InputError, match="damaged checkpoint"):
        CheckpointFile(tmp_path, "one").load()
    assert capsys.readouterr().out == ""
