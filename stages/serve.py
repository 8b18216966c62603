"""Model and index -> an HTTP service."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from pipeline.core.errors import InputError
from stages.command import IndexPath, LogPath, ModelPath, from_extra, run, warner
from stages.paths import INDEX, MODEL

TOKEN = "HUSE_TOKEN"
SHORTEST_TOKEN = 16
"""Characters; fewer can be guessed."""


def main(
    host: Annotated[
        str, typer.Option(help="Address to bind to; 0.0.0.0 lets the whole network in.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the service; 0: any that is free.")
    ] = 8000,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help=f"File with the token that a client has to send; if not given, variable {TOKEN}."
        ),
    ] = None,
    max_bytes: Annotated[
        int, typer.Option(min=1024, help="Bytes of a request's body at most.")
    ] = 20 * 2**20,
    max_megapixels: Annotated[
        float, typer.Option(min=0.1, help="Megapixels of a picture at most.")
    ] = 40.0,
    max_items: Annotated[int, typer.Option(min=1, help="Items of a request at most.")] = 256,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds until a request is answered or given up.")
    ] = 30.0,
    rate: Annotated[
        int, typer.Option(min=0, help="Requests of a client in a minute; 0: any number.")
    ] = 0,
    queue: Annotated[int, typer.Option(min=1, help="Items that may wait for the model.")] = 512,
    batch: Annotated[
        int, typer.Option(min=1, help="Items that are given to the model at a time.")
    ] = 32,
    proxy: Annotated[
        str | None,
        typer.Option(
            help="Address of a reverse proxy, whose X-Forwarded-For says who the client is."
        ),
    ] = None,
    log: LogPath = None,
    model: ModelPath = MODEL,
    index: IndexPath = INDEX,
) -> None:
    """Serve search, classification and embeddings over HTTP."""
    from functools import partial

    with from_extra("serve", "serve"):
        from pipeline.serve.app import Service
        from pipeline.serve.limits import Limits
        from pipeline.serve.loaded import load_checked
        from pipeline.serve.recorder import Recorder
        from pipeline.serve.server import listen, serve
        from pipeline.use.current import Current, Stored
        from pipeline.web.local_app import is_loopback
    from stages.classify import classify_settings

    token = read_token(token_file)
    warn = warner("serve")
    limits = Limits(max_bytes, int(1e6 * max_megapixels), max_items, timeout, rate, queue, batch)
    settings = classify_settings()
    with listen(host, port) as listener:
        service = Service(
            Current(partial(load_checked, Stored(model, index), warn)),
            limits,
            settings,
            host=host,
            token=token,
            warn=warn,
            recorder=None if log is None else Recorder(log, warn),
        )
        if token is None and not is_loopback(host):
            warn(f"{host} can be reached from elsewhere, and no token is asked for: --token-file")
        address = f"[{host}]" if ":" in host else host
        typer.echo(f"serve: http://{address}:{listener.getsockname()[1]} until Ctrl-C; see /docs")
        serve(service, listener, proxy)


def read_token(path: Path | None) -> str | None:
    """Read the token of a file or of the environment.

    Returns:
        The token; None: no client needs one.

    Raises:
        InputError: The file cannot be read, or the token is short or no word.
    """
    if path is None:
        token, place = os.environ.get(TOKEN), TOKEN
        if token is None:
            return None
    else:
        place = f"--token-file {path}"
        try:
            token = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{place}: cannot be read ({error})") from error
    token = token.strip()
    if len(token) < SHORTEST_TOKEN or not token.isascii() or len(token.split()) != 1:
        raise InputError(
            f"{place}: a token is one word of at least {SHORTEST_TOKEN} characters of ASCII; make "
            "one by: openssl rand -hex 32"
        )
    return token


if __name__ == "__main__":
    run(main)
