import os

# Before torch and the like are imported, here and in what tests start: tests are small, and there
# is a process per core, whose threads would wait for each other longer than one alone takes. Sums
# also depend in the last bits on the number of threads.
os.environ["OMP_NUM_THREADS"] = "1"

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest
from filelock import FileLock
from PIL import Image
from pyarrow.fs import FileSystem

from pipeline.core.location import RemotePath, locate
from stages.__main__ import STAGES
from tests.postgres_fixtures import postgres, postgres_server  # noqa: F401
from tests.project import Project

ROOT = Path(__file__).parents[1]

OF_A_PROJECT = ("params.yaml", "decisions.csv")
"""What the stages read beside the catalogue."""

# Small enough for all stages in seconds, large enough for a loss that falls.
TINY = {
    "split.min_class_size": 1,
    # The quickest; every encoder has tests of its own.
    "text.encoders": ["glove"],
    "graph.encoder": "glove",
    "graph.of": "parts_mean",
    "model.dim": 16,
    "model.image_layers": 2,
    "model.width": 16,
    "train.steps": 40,
    "train.batch_size": 32,
    "train.validate_every": 10,
    # Starting another process takes longer than a hundred pictures.
    "machine.workers": 1,
}

# Words that GloVe knows; every colour with every class makes an item.
COLOURS = ["red", "green", "blue", "black"]
CLASSES = {
    "sweater": "clothing<knitwear<sweater",
    "dress": "clothing<dress",
    "boots": "shoes<boots",
    "ring": "jewelry",
}


# What takes seconds to make or to use: a project after all stages, one to run stages in, a server,
# a browser.
PROJECTS = {"finished_project", "shipped_project"}
SLOW_FIXTURES = {*PROJECTS, "environment", "shop", "browser", "s3", "postgres"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test `slow` or `fast`, and run files with slow ones first.

    Files are what processes share out: the short ones at the end fill up the time. Files that need
    no project open, so that not every process waits for the one that makes it.
    """
    rank: dict[Path, int] = {}
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & SLOW_FIXTURES and item.get_closest_marker("slow") is None:
            item.add_marker(pytest.mark.slow)
        is_slow = item.get_closest_marker("slow") is not None
        if not is_slow:
            item.add_marker(pytest.mark.fast)
        own = 1 if fixtures & PROJECTS else 0 if is_slow else 2
        # A file with a project is ranked as such, whatever else is in it.
        rank[item.path] = 1 if 1 in (own, rank.get(item.path)) else min(own, rank.get(item.path, 2))
    items.sort(key=lambda item: rank[item.path])


def make_once(
    tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]
) -> Path:
    """Make a folder once for all processes that share the tests; nobody changes it afterwards."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / name
    with FileLock(f"{folder}.lock"):
        if not (folder / "made").exists():
            make(folder / "project")
            (folder / "made").touch()
    return folder / "project"


@pytest.fixture(scope="session")
def product_archive() -> Path:
    """A catalogue of real products that some machines have beside the project."""
    path = ROOT.parent / "shared" / "data" / "fashion-dev.tar"
    if not path.is_file():
        pytest.skip("../shared/data/fashion-dev.tar is not on this machine")
    return path


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """This environment's programs, and nothing of the user's own settings of git and DVC."""
    empty = tmp_path_factory.mktemp("settings")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("GIT_", "DVC_")):
                patch.delenv(name)
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        patch.setenv("GIT_CONFIG_GLOBAL", str(empty / "gitconfig"))
        for name in ("GLOBAL_CONFIG_DIR", "SYSTEM_CONFIG_DIR", "SITE_CACHE_DIR"):
            patch.setenv(f"DVC_{name}", str(empty / name))
        patch.setenv("DVC_NO_ANALYTICS", "1")
        yield


def make_finished(root: Path) -> None:
    project = Project(root)
    # dvc.lock tells of another catalogue; every test would copy what no stage reads.
    left_out = [f":!{name}" for name in ("dvc.lock", "tests", "benchmarks", "docs", "experiments")]
    command = ["git", "ls-files", "-co", "--exclude-standard", "--", ".", *left_out]
    for name in subprocess.check_output(command, cwd=ROOT, text=True).splitlines():
        # A file may be deleted but still be in the index.
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
    project.set(TINY)
    project.succeed("git", "init", "--quiet")
    project.succeed("git", "config", "user.name", "Test")
    project.succeed("git", "config", "user.email", "test@example.org")
    project.succeed("git", "add", "--all")
    project.succeed("git", "commit", "--quiet", "--message", "Clone")
    result = project.huse("sample-catalog", "--limit", "120")
    assert result.exit_code == 0, result.output
    project.succeed("dvc", "repro")
    project.succeed("git", "add", "--all")
    project.succeed("git", "commit", "--quiet", "--message", "Finished")
    # One file to copy instead of one per object.
    project.succeed("git", "gc", "--quiet")


def make_shipped(root: Path) -> None:
    project = Project(root)
    root.mkdir(parents=True)
    for name in OF_A_PROJECT:
        shutil.copy(ROOT / name, root)
    project.set({**TINY, "text.encoders": ["glove", "sentence"], "evaluate.projection": "pca"})
    # So that the few validation items are enough for a limit.
    project.set({"split.val": 0.3, "index.near_share": 0.9})
    for command in (["sample-catalog", "--limit", "200"], *([stage] for stage in STAGES)):
        result = project.huse(*command)
        assert result.exit_code == 0, result.output


def keep_columns(project: Project) -> None:
    path = project.root / "data" / "raw" / "openmoji" / "catalog.csv"
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    table = [f"{header},price,brand,sale,first seen"]
    for n, line in enumerate(lines):
        brand, sale = ("Nike", "Puma & Co", "")[n % 3], ("true", "false")[n % 2]
        table.append(f"{line},{n}.50,{brand},{sale},2024-01-{n % 28 + 1:02}")
    path.write_text("\n".join(table) + "\n", encoding="utf-8")
    project.set({"catalog.columns.keep": ["price", "brand", "sale", "first seen"]})
    for stage in ("catalog", "evaluate", "index"):
        result = project.huse(stage)
        assert result.exit_code == 0, result.output


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory, environment: None) -> Project:
    """A clone of this project on a tiny catalogue after one `dvc repro`; tests change copies."""
    return Project(make_once(tmp_path_factory, "finished", make_finished))


@pytest.fixture(scope="session")
def shipped_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A small sample after all stages, with the text encoders that params.yaml comes with."""
    return Project(make_once(tmp_path_factory, "shipped", make_shipped))


@pytest.fixture(scope="session")
def kept_project(finished_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished project whose table has a price, a brand, a sale and a day, which are kept."""
    return Project(
        make_once(tmp_path_factory, "kept", lambda root: keep_columns(finished_project.copy(root)))
    )


@pytest.fixture
def project(finished_project: Project, tmp_path: Path) -> Project:
    """A finished project of the test's own."""
    return finished_project.copy(tmp_path / "project")


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """A folder with params.yaml and a catalogue of sixteen drawn pictures; no stage has run."""
    project = Project(tmp_path / "shop")
    pictures = project.root / "pictures"
    pictures.mkdir(parents=True)
    for name in OF_A_PROJECT:
        shutil.copy(ROOT / name, project.root)
    project.set(
        {
            **TINY,
            "catalog.path": "catalog.csv",
            "catalog.images": "pictures",
            "catalog.columns.group": None,
            "split.val": 0.25,
            "split.test": 0.25,
        }
    )
    lines = ["image,text,classes"]
    for number, (colour, thing) in enumerate(product(COLOURS, CLASSES)):
        drawn = Image.linear_gradient("L").rotate(90 * number).resize((16 + number, 16))
        drawn.convert("RGB").save(pictures / f"{number}.png")
        lines.append(f"{number}.png,{colour} {thing},{CLASSES[thing]}")
    (project.root / "catalog.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return project


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """An S3 server on this machine, which this process and those that it starts use."""
    server = pytest.importorskip("moto.server", reason="needs moto[server]").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("AWS_"):
                patch.delenv(name)
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "key")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        # The server stores the checksum behind a body as part of the body.
        patch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
        yield f"{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, request: pytest.FixtureRequest) -> RemotePath:
    """A bucket of the test's own."""
    name = f"bucket-{abs(hash(request.node.nodeid))}"
    server, path = FileSystem.from_uri(f"s3://{name}?allow_bucket_creation=true")
    server.create_dir(path)
    place = locate(f"s3://{name}", "test")
    assert isinstance(place, RemotePath)
    return place
