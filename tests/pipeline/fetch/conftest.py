"""A web server on this machine that is well or ill behaved, as a path of it asks for."""

import io
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote
from zlib import crc32

import pytest
from PIL import Image

KINDS = {
    **{".jpg": "JPEG", ".webp": "WEBP", ".gif": "GIF"},
    **{".bmp": "BMP", ".tif": "TIFF", ".avif": "AVIF"},
}


def picture(path: str) -> bytes:
    """What the server has under a path: of each another colour."""
    buffer = io.BytesIO()
    colour = f"#{crc32(path.encode()) & 0xFFFFFF:06x}"
    kind = next((kind for ending, kind in KINDS.items() if ending in path), "PNG")
    Image.new("RGB", (8, 8), colour).save(buffer, kind)
    return buffer.getvalue()


class Web(ThreadingHTTPServer):
    """Counts what it is asked for, and how often at the same time."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.asked: Counter[str] = Counter()
        self.agents: set[str] = set()
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}/{path}"


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Web

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path, web = self.path.lstrip("/"), self.server
        with web.lock:
            web.asked[path] += 1
            web.agents.add(self.headers["User-Agent"])
            web.at_once += 1
            web.most_at_once = max(web.most_at_once, web.at_once)
            again = web.asked[path] > 1
        try:
            self.reply(path, again)
        except (BrokenPipeError, ConnectionResetError):  # whoever asked has had enough
            self.close_connection = True
        with web.lock:
            web.at_once -= 1

    def reply(self, path: str, again: bool) -> None:
        kind, _, rest = path.partition("/")
        if kind == "moved":
            self.send(302, {"Location": "/" + rest})
        elif kind == "away":
            self.send(302, {"Location": f"http://{rest}"})
        elif kind == "scheme":
            self.send(302, {"Location": rest})
        elif kind == "round":
            self.send(301, {"Location": self.path})
        elif kind == "busy" and not again:
            self.send(int(rest), {"Retry-After": "1"})
        elif kind == "gone":
            self.send(404)
        elif kind == "closed":
            self.send(429, {"Retry-After": "3600"})
        elif kind == "broken":
            self.send(500)
        elif kind == "page":
            self.send(200, body=unquote(rest).encode())
        elif kind == "packed":
            self.send(200, {"Content-Encoding": rest}, body=bytes(100))
        elif kind == "endless":
            self.send(200, length=10**9, body=bytes(2**16))
            while True:
                self.wfile.write(bytes(2**16))
        elif kind == "slow":
            self.send(200, length=1000)
            for _ in range(1000):
                self.wfile.write(b"x")
                time.sleep(0.05)
        else:
            if kind == "late":
                time.sleep(0.1)
            self.send(200, body=picture(path))

    def send(
        self,
        status: int,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        length: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
