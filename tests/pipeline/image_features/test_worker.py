import hashlib
import json
import subprocess
import sys


def converse(lines):
    run = subprocess.run(
        [sys.executable, "-m", "pipeline.image_features.worker"],
        input="\n".join(map(json.dumps, lines)) + "\n",
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def plan(small, images, folder):
    return {
        "images": str(images),
        "recipe": small.recipe.metadata(),
        "graph": str(small.graph),
        "store": str(folder),
        "augment": "crop_flip",
        "device": "cpu",
        "batch_size": None,
    }


def test_chunks_are_answered_one_by_one(small, pictures, tmp_path):
    paths = [pictures.folder / name for name in pictures(3)]
    jobs = [[path.name, hashlib.sha256(path.read_bytes()).hexdigest(), [0]] for path in paths]
    gone = ["gone.png", "00" * 32, [0]]
    replies = converse(
        [plan(small, pictures.folder, tmp_path / "store"), jobs[:2], [gone, jobs[2]]]
    )
    assert replies == [
        {"done": 2},
        {"failures": []},
        {"done": 1},
        {"failures": [["00" * 32, "file not found"]]},
    ]
    assert len(list((tmp_path / "store").glob("*.arrow"))) == 2


def test_what_stops_it_is_one_line(small, tmp_path):
    recipe = small.recipe.metadata() | {"runtime": "torch", "weights_digest": "0" * 64}
    (reply,) = converse([plan(small, tmp_path, tmp_path / "store") | {"recipe": recipe}])
    assert "put the same weights back" in reply["error"]
