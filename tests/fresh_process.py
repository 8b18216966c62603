"""What a process of its own has imported: what is imported here says nothing of a fresh start."""

import json
import subprocess
import sys
from pathlib import Path


def modules_after(code: str, folder: Path | None = None) -> set[str]:
    """Run code in a fresh interpreter, in a folder, and name all modules that are then loaded."""
    # On a line of its own, behind whatever the code prints.
    report = "import json, sys; print(); print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))
