"""What DVC does with extraction: outputs come and go, vectors stay."""

import re
import shutil
from pathlib import Path

import pytest

from stages.dvc_cache import digest_cache, dvc_cache, tracked_contents, vector_cache
from tests.feature_tables import read_vectors

FEATURES = "data/features/image.parquet"


def extraction(output: str) -> tuple[int, int]:
    """How many pictures were extracted, and how many came from the cache."""
    found = re.search(r"(\d+) extracted, (\d+) from the cache", output)
    assert found is not None, output
    return int(found[1]), int(found[2])


def inside(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return dvc_cache()


def test_the_cache_is_dvcs_own_wherever_that_is(tmp_path, monkeypatch):
    assert inside(tmp_path, monkeypatch) is None
    assert tracked_contents() == []
    assert vector_cache("image", Path("data/x/image.parquet")) == Path("data/x/.image_cache")
    assert vector_cache("text", Path("data/blocks")) == Path("data/.text_cache")
    assert digest_cache(Path("data/x/pictures.parquet")) == Path("data/x/.image_cache")
    # One for the texts' words and the classes'.
    assert vector_cache("word", Path("data/graph")) == Path("data/.word_cache")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / ".dvc" / "config").write_text("")
    assert inside(tmp_path / "deep" / "er", monkeypatch) == tmp_path / ".dvc" / "cache"
    (tmp_path / ".dvc" / "config").write_text("[cache]\n    dir = ../shared\n")
    assert inside(tmp_path, monkeypatch).resolve() == tmp_path / "shared"
    (tmp_path / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {tmp_path}/mine\n")
    assert inside(tmp_path / "deep", monkeypatch) == tmp_path / "mine"
    assert tracked_contents() == [tmp_path / "mine" / "files"]
    assert vector_cache("text", Path("data/blocks")) == tmp_path / "mine" / "text_features"
    assert digest_cache(Path("data/x")) == tmp_path / "mine" / "picture_digests"


@pytest.fixture
def pictures(project):
    """The project's folder of pictures and its catalogue's lines."""
    raw = project.root / "data" / "raw" / "openmoji"
    return raw / "images", raw / "catalog.csv"


def test_repro_extracts_what_is_new_and_nothing_else(project, pictures):
    folder, catalog = pictures
    before = (project.root / FEATURES).read_bytes()
    lines = catalog.read_text(encoding="utf-8").splitlines(keepends=True)
    names = sorted(path.name for path in folder.iterdir())
    count = len(read_vectors(project.root / FEATURES, "vector")[0])

    # Two new pictures, in two new rows.
    for number, name in enumerate(names[:2]):
        data = (folder / name).read_bytes()
        # A text chunk makes it another file without making it another picture.
        (folder / f"new-{number}.png").write_bytes(
            data[:-12] + b"\0\0\0\0tEXt\xe8\x06\xc0\x7a" + data[-12:]
        )
        row = next(line for line in lines if name in line)
        lines.append(row.replace(name, f"new-{number}.png"))
    catalog.write_text("".join(lines), encoding="utf-8")
    assert extraction(project.succeed("dvc", "repro", "image_features")) == (2, count)

    # One renamed, one removed.
    (folder / "new-0.png").rename(folder / "renamed.png")
    (folder / "new-1.png").unlink()
    kept = "".join(lines[:-1]).replace("new-0.png", "renamed.png")
    catalog.write_text(kept, encoding="utf-8")
    assert extraction(project.succeed("dvc", "repro", "image_features")) == (0, count + 1)

    # As it was: the run cache gives the outputs back, and without it the vectors do.
    (folder / "renamed.png").unlink()
    catalog.write_text("".join(lines[:-2]), encoding="utf-8")
    assert "is cached - skipping run" in project.succeed("dvc", "repro", "image_features")
    assert (project.root / FEATURES).read_bytes() == before
    shutil.rmtree(project.root / ".dvc" / "cache" / "runs")
    (project.root / "dvc.lock").unlink()
    (project.root / FEATURES).unlink()
    assert extraction(project.succeed("dvc", "repro", "image_features")) == (0, count)
    assert (project.root / FEATURES).read_bytes() == before


def test_another_backbone_and_back_extracts_nothing_in_a_temporary_copy_either(project):
    count = len(read_vectors(project.root / FEATURES, "vector")[0])
    before = (project.root / FEATURES).read_bytes()
    small = ["-S", "image.backbone=torchvision/squeezenet1_1", "-S", "image.weights=none"]
    small += ["-S", "image.size=64"]
    # The sample catalogue is under neither git nor DVC.
    copy = ["dvc", "exp", "run", "--temp", "--copy-paths", "data/raw"]
    assert extraction(project.succeed(*copy, *small, "image_features")) == (count, 0)
    # Another limit is another stage run, of vectors that were there before.
    back = ["-S", "image.max_failed=0.4"]
    assert extraction(project.succeed(*copy, *back, "image_features")) == (0, count)
    assert (project.root / FEATURES).read_bytes() == before


def test_vectors_survive_dvcs_garbage_collection(project):
    stored = sorted((project.root / ".dvc" / "cache" / "image_features").rglob("*.*"))
    assert stored
    project.succeed("dvc", "gc", "--workspace", "--force")
    assert sorted((project.root / ".dvc" / "cache" / "image_features").rglob("*.*")) == stored


def test_pictures_that_dvc_keeps_as_links_are_read(project, pictures):
    folder, _ = pictures
    count = len(read_vectors(project.root / FEATURES, "vector")[0])
    project.succeed("dvc", "config", "cache.type", "symlink")
    # Below data/ everything is ignored by git, where DVC adds nothing.
    tracked = folder.rename(project.root / "pictures")
    project.succeed("dvc", "add", "--quiet", "pictures")
    assert all(path.is_symlink() for path in tracked.iterdir())
    project.set({"catalog.images": "pictures"})
    output = project.succeed("dvc", "repro", "image_features")
    assert extraction(output) == (0, count)
    assert "no rows rejected" in output


def test_a_file_of_word_vectors_is_read_once_in_a_temporary_copy_too(project):
    words = "\n".join(f"{word} {n} {n % 3}" for n, word in enumerate(["smile", "heart", "red"]))
    (project.root / "data" / "raw" / "vectors.txt").write_text(words + "\n", encoding="utf-8")
    project.set({"text.glove.vectors": "file/data/raw/vectors.txt"})
    project.succeed("dvc", "repro", "text_block@glove")
    [entry] = (project.root / ".dvc" / "cache" / "word_features").iterdir()
    written = entry.stat().st_mtime_ns
    # Another split has the same words.
    copy = ["dvc", "exp", "run", "--temp", "--copy-paths", "data/raw", "-S", "split.seed=18"]
    assert "text_block: glove:" in project.succeed(*copy, "text_block@glove")
    assert list(entry.parent.iterdir()) == [entry]
    assert entry.stat().st_mtime_ns == written
