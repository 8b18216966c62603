"""Registry of engines: where the jobs of an extraction are done. One line each."""

from collections.abc import Callable, Sequence

from pipeline.image_features.engines.local import run_local
from pipeline.image_features.engines.ray import run_ray
from pipeline.image_features.jobs import Failures, Job, WorkPlan

ENGINES: dict[
    str, Callable[[Sequence[Job], WorkPlan, int | None, Callable[[int], None]], Failures]
] = {
    "local": run_local,
    "ray": run_ray,
}
