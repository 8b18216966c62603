"""What Prometheus is told of a server."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.responses import Response

from pipeline.serve.loaded import Loaded

SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
ITEMS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Meters:
    """Counts of one server: two in one process do not share any."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "huse_requests", "Requests by route and status.", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "huse_request_seconds",
            "Time from the head of a request to the end of its answer.",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self._batch = Histogram(
            "huse_batch_items",
            "Items that the model was given at a time.",
            buckets=ITEMS,
            registry=registry,
        )
        self._queue = Gauge("huse_queue_items", "Items that wait.", registry=registry)
        self._model = Gauge(
            "huse_model_info", "Which model answers.", ["digest"], registry=registry
        )
        self._items = Gauge("huse_index_items", "Items of the index.", registry=registry)
        self._reloads = Counter(
            "huse_reloads", "Models that were read again.", ["outcome"], registry=registry
        )

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is one of the server's own, or others fill the memory."""
        self._requests.labels(route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def batch(self, items: int) -> None:
        """Count a batch."""
        self._batch.observe(items)

    def watch_queue(self, items: Callable[[], int]) -> None:
        """Ask how many items wait whenever the figures are read."""
        self._queue.set_function(items)

    def model(self, loaded: Loaded) -> None:
        """Say which model answers."""
        self._model.clear()
        self._model.labels(loaded.digest).set(1)
        self._items.set(loaded.items)

    def reload(self, outcome: str) -> None:
        """Count a model that was read again: `ok` or `failed`."""
        self._reloads.labels(outcome).inc()

    def response(self) -> Response:
        """Give all figures as Prometheus reads them."""
        return Response(
            generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )
