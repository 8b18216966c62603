"""Puts what a project is made of, which has its one place at the root, into the wheel."""

from pathlib import Path
from shutil import copyfile

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
PROJECT = (ROOT / "MANIFEST.in").read_text(encoding="utf-8").split()[1:]
"""The files; `huse init` writes them."""


class WithProject(build_py):
    """Builds as always, and copies the files to where `stages/init.py` looks for them."""

    def run(self) -> None:
        """See `build_py.run`."""
        super().run()
        if self.editable_mode:
            return
        for pattern in PROJECT:
            for path in ROOT.glob(pattern):
                copy = Path(self.build_lib, "stages", "project", path.relative_to(ROOT))
                copy.parent.mkdir(parents=True, exist_ok=True)
                copyfile(path, copy)


setup(cmdclass={"build_py": WithProject})
