import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("chosen", "found"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_threads_of_commands_sleep_while_they_wait_unless_the_user_wants_otherwise(chosen, found):
    environment = {**os.environ, "OMP_DISPLAY_ENV": "true"}
    environment.pop("OMP_WAIT_POLICY", None)
    if chosen is not None:
        environment["OMP_WAIT_POLICY"] = chosen
    # A command imports its package, then in its function what it runs.
    done = subprocess.run(
        [sys.executable, "-c", "import stages.train, torch; torch.ones(9)"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    # Every OpenMP library that is loaded tells what it goes by.
    policies = [line for line in done.stderr.splitlines() if "OMP_WAIT_POLICY" in line]
    assert policies
    assert all(f"'{found}'" in line for line in policies)
