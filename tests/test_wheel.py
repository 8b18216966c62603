"""What somebody has who installed the wheel: the program, `huse init`, Python, and no checkout."""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import ROOT, TINY
from tests.project import Project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from the files that git knows or would."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if not name.startswith(("tests/", "benchmarks/")) and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    build = [*(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"), "--no-index"]
    subprocess.run([*build, "--no-build-isolation", "-w", out, source], check=True)
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Environment variables with the wheel's programs first; nothing of the checkout is in reach.

    The packages that it depends on are those of this environment, which takes no gigabytes.
    """
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=False, symlinks=True)
    (packages,) = place.glob("lib/python*/site-packages")
    own = Path(next(path for path in sys.path if path.endswith("site-packages")))
    # A path in a .pth file does not read the .pth files there, such as the checkout's.
    (packages / "dependencies.pth").write_text(f"{own}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python")]
    # Whatever of this name those packages have, such as the checkout.
    options = ("--ignore-installed", "--quiet", "--no-deps", "--no-index")
    command = [*pip, "install", *options, str(wheel)]
    subprocess.run(command, check=True)
    left_out = ("GIT_", "DVC_", "PYTHON")
    variables = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
    programs = [place / "bin", Path(sys.executable).parent, variables["PATH"]]
    return {
        **variables,
        "PATH": os.pathsep.join(map(str, programs)),
        "DVC_NO_ANALYTICS": "1",
        "HF_HUB_OFFLINE": "1",
    }


def succeed(folder, variables, *command):
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_sample_is_run_from_a_wheel_alone(installed, tmp_path):
    succeed(tmp_path, installed, "huse", "init", "shop")
    project = Project(tmp_path / "shop")
    for command in ("init --quiet", "config user.name Test", "config user.email t@example.org"):
        succeed(project.root, installed, "git", *command.split())
    succeed(project.root, installed, "huse", "sample_catalog", "--limit", "120")
    project.set(TINY)
    succeed(project.root, installed, "git", "add", "--all")
    succeed(project.root, installed, "git", "commit", "--quiet", "--message", "Start")
    succeed(project.root, installed, "dvc", "repro", "--quiet")
    assert succeed(project.root, installed, "dvc", "status").strip() == (
        "Data and pipelines are up to date."
    )
    assert succeed(project.root, installed, "huse", "search", "sad cat", "--k", "2")
    code = """
import huse, pipeline
model = huse.Huse.load("data/model")
print(pipeline.__file__, huse.__version__, model.encode_text(["sad cat"]).shape)
"""
    place, number, *shape = succeed(project.root, installed, "python", "-c", code).split()
    assert not Path(place).is_relative_to(ROOT)
    assert succeed(project.root, installed, "huse", "--version") == f"huse {number}\n"
    assert "".join(shape) == "(1,16)"


CONSUMER = """
from pathlib import Path

import numpy as np
from huse import Embeddings, Hit, Huse, InputError, Prediction

model = Huse.load("data/model")
reveal_type(model)
reveal_type(Huse.from_pretrained("owner/name", revision="main"))
v: Embeddings = model.embed(images=[Path("cat.jpg"), "dog.jpg", None], texts=[None, None, "cat"])
reveal_type(model.encode_text(["cat"]))
reveal_type(model.classes_)
hits: list[list[Hit]] = model.search(v, k=10, where="price < 50")
predictions: list[Prediction] = model.classify(v, decide="probable")
reveal_type(predictions[0].top[0].path)
probability: np.ndarray = model.predict_proba(images=["cat.jpg"])
reveal_type(hits[0][0].distance)
address: str = model.push_to_hub("owner/name", license="mit")
try:
    model.predict(texts=[""])
except InputError:
    pass
"""
REVEALED = [
    "pipeline.use.api.Huse",
    "pipeline.use.api.Huse",
    "numpy.ndarray[tuple[Any, ...], numpy.dtype[numpy.float32]]",
    "numpy.ndarray[tuple[Any, ...], numpy.dtype[numpy.str_]]",
    "str",
    "float",
]


def test_types_are_seen_from_outside(installed, tmp_path):
    """By mypy in its strictest mode, of a project that uses the installed package."""
    (tmp_path / "consumer.py").write_text(CONSUMER, encoding="utf-8")
    python = Path(installed["PATH"].split(os.pathsep)[0]) / "python"
    check = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(python)]
    said = succeed(tmp_path, installed, *check, "consumer.py")
    found = re.findall(r'Revealed type is "(.*)"', said)
    # Some versions write 32-bit floats by what they are made of.
    float32 = "numpy.floating[numpy._typing._nbit_base._32Bit]"
    assert [one.replace(float32, "numpy.float32") for one in found] == REVEALED
