"""What `huse serve` answers in a second and how long a client waits, with and without batching.

    python -m benchmarks.serve --project . --seconds 3 --rounds 5

Two servers of the same model run side by side; one puts the items of concurrent requests together,
the other gives the model one request at a time (`--batch 1`). In every round each is asked for some
seconds, one after the other, by as many clients as the case says, each of which asks anew as soon
as it is answered. The clients run in a process beside the server's and share the cores with it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer

from benchmarks.harness import environment, median_ratio, write_results
from huse import Huse

CLIENTS = (1, 8, 32)
BOUNDARY = "boundary"


class Sent(NamedTuple):
    """A request."""

    path: str
    body: bytes
    kind: str


class Run(NamedTuple):
    """What clients saw in some seconds."""

    milliseconds: list[float]
    per_second: float

    def quantile(self, share: float) -> float:
        """Milliseconds that this share of the answers took at most."""
        return float(np.quantile(self.milliseconds, share))


def main(
    project: Annotated[Path, typer.Option(help="A project that `dvc repro` has run in.")] = Path(),
    images: Annotated[
        Path | None, typer.Option(help="Folder of its pictures; if not given, the sample's.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long each case is asked in a round.")] = 3.0,
    rounds: Annotated[int, typer.Option(min=1, help="How often.")] = 5,
    out: Annotated[Path, typer.Option(help="Where to write the results, without a suffix.")] = Path(
        "benchmarks/results/serve_cpu"
    ),
) -> None:
    """Ask both servers by 1, 8 and 32 clients."""
    folder = images or project / "data/raw/openmoji/images"
    kinds = make_requests(project, folder)
    runs: dict[tuple[str, int], dict[str, list[Run]]] = {
        (kind, clients): {"together": [], "alone": []} for kind in kinds for clients in CLIENTS
    }
    with ExitStack() as stack:
        ports = {
            name: stack.enter_context(served(project, batch))
            for name, batch in (("together", 32), ("alone", 1))
        }
        for number in range(rounds + 1):
            for (kind, clients), found in runs.items():
                for name, port in ports.items():
                    run = ask(port, kinds[kind], clients, seconds if number else 0.5)
                    if number:  # the first round warms up
                        found[name].append(run)
            typer.echo(f"round {number} of {rounds}")
    write_results(
        out,
        title="An HTTP service under load",
        notes=[
            f"`python -m benchmarks.serve`; {rounds} rounds of {seconds:g} s; medians of rounds",
            f"{os.cpu_count()} cores, which the clients use too; a client asks as soon as it is "
            "answered",
            "x alone: divided by the same of a server that gives the model one request at a time, "
            "in the same round",
        ],
        columns={
            "what": "what",
            "clients": "clients",
            "per_second": "requests a second",
            "p50_ms": "p50 ms",
            "p99_ms": "p99 ms",
            "per_second_ratio": "requests a second x alone",
            "p99_ratio": "p99 x alone",
        },
        rows=[row_of(kind, clients, **found) for (kind, clients), found in runs.items()],
        environment=environment(),
    )
    typer.echo(out.with_suffix(".md").read_text(encoding="utf-8"))


def row_of(
    kind: str, clients: int, together: Sequence[Run], alone: Sequence[Run]
) -> dict[str, str | float]:
    """Sum a case up."""
    rate = [run.per_second for run in together]
    late = [run.quantile(0.99) for run in together]
    return {
        "what": kind,
        "clients": clients,
        "per_second": statistics.median(rate),
        "p50_ms": statistics.median(run.quantile(0.5) for run in together),
        "p99_ms": statistics.median(late),
        "per_second_ratio": median_ratio(rate, [run.per_second for run in alone]),
        "p99_ratio": median_ratio(late, [run.quantile(0.99) for run in alone]),
    }


def make_requests(project: Path, folder: Path) -> dict[str, list[Sent]]:
    """Texts and pictures of the catalogue; none is asked twice soon."""
    items = Huse.load(project / "data/model").index.items
    texts = [text for text in items["text"] if text][:500]
    pictures = [image for image in items["image"] if image][:100]
    as_json = "application/json"
    return {
        "search by text": [
            Sent("/search", json.dumps({"text": text}).encode(), as_json) for text in texts
        ],
        "search by picture": [
            Sent("/search", form_of((folder / name).read_bytes()), form_kind()) for name in pictures
        ],
        "classify a text": [
            Sent("/classify", json.dumps({"items": [{"text": text}]}).encode(), as_json)
            for text in texts
        ],
    }


def form_kind() -> str:
    """The content type of a form."""
    return f"multipart/form-data; boundary={BOUNDARY}"


def form_of(picture: bytes) -> bytes:
    """A form with a file."""
    head = 'Content-Disposition: form-data; name="image"; filename="a"'
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()


@contextmanager
def served(project: Path, batch: int) -> Iterator[int]:
    """Port of a server in a process of its own."""
    command = [sys.executable, "-m", "stages", "serve", "--port", "0", "--batch", str(batch)]
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().split()[1].rpartition(":")[2])
    finally:
        process.terminate()
        process.wait()


def ask(port: int, requests: Sequence[Sent], clients: int, seconds: float) -> Run:
    """Let clients ask for some seconds.

    Raises:
        RuntimeError: A request is not answered.
    """
    numbers = count()
    start = time.perf_counter()

    def client(_: int) -> list[float]:
        connection = HTTPConnection("127.0.0.1", port)
        took = []
        while (began := time.perf_counter()) < start + seconds:
            took.append(1000 * _seconds(connection, requests[next(numbers) % len(requests)], began))
        connection.close()
        return took

    with ThreadPoolExecutor(clients) as pool:
        milliseconds = [one for took in pool.map(client, range(clients)) for one in took]
    return Run(milliseconds, len(milliseconds) / (time.perf_counter() - start))


def _seconds(connection: HTTPConnection, sent: Sent, began: float) -> float:
    connection.request("POST", sent.path, sent.body, {"Content-Type": sent.kind})
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise RuntimeError(f"{sent.path}: status {response.status}")
    return time.perf_counter() - began


if __name__ == "__main__":
    typer.run(main)
