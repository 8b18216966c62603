"""The Ray cluster that stages hand their work to where `machine.engine` says so."""

import os
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError


def join_ray() -> Any:
    """Join the cluster that RAY_ADDRESS names, or start one on this machine; once per process.

    Returns:
        The module `ray`, whose types no checker knows.

    Raises:
        InputError: Ray is not installed.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise InputError("machine.engine: ray is not installed; install the extra `ray`") from error
    if not ray.is_initialized():
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        ray.init(runtime_env={"env_vars": {"PYTHONPATH": path}}, log_to_driver=False)
    return ray
