"""Extraction on a Ray cluster, for catalogues that outgrow one machine.

Every node needs the project's packages and has to reach the pictures and the store: both are URIs,
or under the same path everywhere. The unit of work is the local engine's, so vectors and files are
the same.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.core.errors import InputError
from pipeline.core.location import RemotePath, locate
from pipeline.core.ray_cluster import join_ray
from pipeline.image_features.jobs import Failures, Job, WorkPlan, job_chunks
from pipeline.image_features.worker import SHARED_ONNX_FILE, run_chunk


class _Actor:
    """Loads the network once and does chunk after chunk."""

    def __init__(self, plan: WorkPlan) -> None:
        self._plan = plan

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        jobs = [Job(*values) for values in json.loads(row["jobs"])]
        views = sum(len(job.views) for job in jobs)
        try:
            failures = run_chunk(self._plan, jobs)
        except InputError as error:
            # Ray would make a traceback of the user's one line.
            return {"views": views, "failures": "[]", "error": str(error)}
        return {"views": views, "failures": json.dumps(failures), "error": ""}


def run_ray(
    jobs: Sequence[Job], plan: WorkPlan, workers: int | None, progress: Callable[[int], None]
) -> Failures:
    """Do all jobs as a Ray Data job with a pool of actors.

    What a lost node had not stored is done again by another.

    Args:
        jobs: Pictures.
        plan: What to do with them.
        workers: Actors at most; None: one per processor of the cluster, or one per GPU.
        progress: Called with the number of views that are done.

    Raises:
        InputError: Ray is not installed, a node lacks the weights or the ONNX file, or the store
            cannot be written to.
    """
    ray = join_ray()
    from ray import data

    data.DataContext.get_current().enable_progress_bars = False
    _share_onnx_file(plan)
    resource = "GPU" if plan.device == "cuda" else "CPU"
    workers = workers or max(1, int(ray.cluster_resources().get(resource, 1)))
    chunks = job_chunks(jobs, workers)
    actor: Any = _Actor
    rows = data.from_items(
        [{"jobs": json.dumps(chunk)} for chunk in chunks], override_num_blocks=len(chunks)
    ).map(
        actor,
        fn_constructor_args=(plan,),
        compute=data.ActorPoolStrategy(min_size=1, max_size=min(workers, len(chunks))),
        num_cpus=1,
        num_gpus=1 if plan.device == "cuda" else 0,
    )
    failures: Failures = []
    for row in rows.iter_rows():
        if row["error"]:
            raise InputError(row["error"])
        progress(row["views"])
        failures += [(digest, reason) for digest, reason in json.loads(row["failures"])]
    return failures


def _share_onnx_file(plan: WorkPlan) -> None:
    """Put the ONNX file where nodes find it that do not see this machine's folders."""
    home, onnx_file = locate(plan.store, "machine.vector_store"), Path(plan.onnx_file)
    if isinstance(home, RemotePath) and onnx_file.exists():
        (home / SHARED_ONNX_FILE).write_bytes(onnx_file.read_bytes())
