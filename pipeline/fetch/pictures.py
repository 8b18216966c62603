"""Pictures of many URLs into a folder, each once."""

import hashlib
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path, PurePosixPath
from threading import Event
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from tqdm import tqdm

from pipeline.core.atomic import atomic_path
from pipeline.core.errors import BadRowError
from pipeline.fetch.download import Downloader, Manners
from pipeline.pictures.decode import format_of
from pipeline.pictures.file import UnreadableImageError

AT_ONCE = 16
"""Connections to all hosts together."""
MOST_HOSTS = 200
"""Whose connections stay open from one picture to the next."""
ENDINGS = {"JPEG": ".jpg", "MPO": ".jpg", "TIFF": ".tif", "HEIF": ".heic"}
"""Of Pillow's formats that do not end in their own name."""
READABLE = 40
"""Letters of a URL's last part in the name of its file, for people."""


class Fetched(NamedTuple):
    """What became of the URLs."""

    name_of: dict[str, str]
    """Name of the file in the folder, by URL."""
    reason_of: dict[str, str]
    """Why there is none, by URL."""
    downloaded: int
    """Files that were not there before."""


def fetch_pictures(
    urls: Iterable[str], folder: Path, manners: Manners, *, silent: bool | None = None
) -> Fetched:
    """Download pictures that are not in the folder yet; what is there is whole.

    Args:
        urls: Some may be there twice.
        folder: Where to put them; made if it is not there.
        manners: How hosts are treated.
        silent: Whether to show no progress; None: where nobody looks.

    Raises:
        InputError: The folder cannot be written to.
    """
    there = {path.stem: path.name for path in folder.iterdir()} if folder.is_dir() else {}
    every = dict.fromkeys(urls)
    name_of = {url: there[stem] for url in every if (stem := stem_of(url)) in there}
    reason_of: dict[str, str] = {}
    waiting: dict[str, deque[str]] = defaultdict(deque)
    for url in every:
        if url not in name_of:
            waiting[_split(url).netloc].append(url)
    new = sum(map(len, waiting.values()))
    stop = Event()
    # Of more hosts than a process may have connections open, none can be kept.
    downloader = Downloader(manners, stop, keeps=len(waiting) <= MOST_HOSTS)

    def lane(host: str, done: Callable[[], object]) -> None:
        """One of the connections to a host."""
        while not stop.is_set():
            try:
                url = waiting[host].popleft()
            except IndexError:
                return
            try:
                name_of[url] = _put(downloader.download(url), folder, stem_of(url))
            except (BadRowError, UnreadableImageError) as error:
                reason_of[url] = str(error)
            done()

    with (
        tqdm(total=new, desc="pictures", unit="picture", disable=silent) as bar,
        ThreadPoolExecutor(AT_ONCE) as threads,
    ):
        try:
            lanes = [
                threads.submit(lane, host, bar.update)
                for host in list(waiting)
                for _ in range(min(manners.connections, len(waiting[host])))
            ]
            for finished in wait(lanes, return_when=FIRST_EXCEPTION).done:
                finished.result()
        finally:
            # After an interrupt or a full disk nobody begins another one.
            stop.set()
    downloader.close()
    return Fetched(name_of, reason_of, new - len(reason_of))


def first_url(value: str) -> str:
    """The first URL in a cell, which may list several, by commas, bars or blanks; or nothing."""
    urls = re.split(r"[\s,;|]+(?=https?://)", value.strip(), flags=re.IGNORECASE)
    return urls[0] if re.match(r"https?://", urls[0], re.IGNORECASE) else ""


def stem_of(url: str) -> str:
    """Name the file of a URL, without its ending: as in the URL, and unlike any other URL's."""
    last = PurePosixPath(unquote(_split(url).path)).stem
    words = re.sub(r"[^A-Za-z0-9]+", "-", last).strip("-")[:READABLE].rstrip("-").lower()
    digest = hashlib.sha256(url.encode()).hexdigest()[:16]
    return f"{words}-{digest}" if words else digest


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # such as `http://[`, which is told when it is to be downloaded
        return urlsplit("")


def _put(data: bytes, folder: Path, stem: str) -> str:
    kind = format_of(data)
    name = stem + ENDINGS.get(kind, f".{kind.lower()}")
    with atomic_path(folder / name) as temporary:
        temporary.write_bytes(data)
    return name
