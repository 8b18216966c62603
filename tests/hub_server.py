"""A server that speaks as much of the Hugging Face hub's protocol as publishing and loading need.

The real client talks to it: repositories with commits, uploads of small files within a commit and
of large ones by Git LFS, a listing, and downloads. Private ones, and all writing, need the token.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_secret"
LARGE = (".safetensors", ".onnx", ".parquet", ".faiss", ".npy")
"""Endings of files that go by Git LFS, as the hub's .gitattributes has them."""


@dataclass
class Repository:
    private: bool
    commits: list[tuple[str, dict[str, bytes]]] = field(default_factory=list)
    """Number and tree of each, the latest last."""

    def commit(self, tree: dict[str, bytes]) -> str:
        told = f"{len(self.commits)} {sorted(tree)}"
        self.commits.append((hashlib.sha1(told.encode()).hexdigest(), tree))
        return self.commits[-1][0]

    def find(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        if revision == "main":
            return self.commits[-1]
        return next((one for one in self.commits if one[0] == revision), None)


class Hub(ThreadingHTTPServer):
    """What is stored, and what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def tree(self, name: str) -> dict[str, bytes]:
        """Files of a repository, as they are now."""
        return self.repositories[name].commits[-1][1]


@contextmanager
def hub_server() -> Iterator[Hub]:
    hub = Hub()
    thread = Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def say(self, status: int, content: Any = None, headers: dict[str, str] | None = None) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def may(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def refuse(self, code: str = "RepoNotFound") -> None:
        status = 401 if code == "RepoNotFound" and not self.may() else 404
        self.say(status, {"error": code}, {"X-Error-Code": code, "X-Error-Message": code})

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append(f"{self.command} {path}")
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+))?", path):
            name, kind, revision = found.groups()
            file = None
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            name, revision, file = found.groups()
            kind = "resolve"
        else:
            return self.refuse("EntryNotFound")
        repository = self.server.repositories.get(name)
        if repository is None or (repository.private and not self.may()):
            return self.refuse()
        commit = repository.find(revision or "main")
        if commit is None:
            return self.refuse("RevisionNotFound")
        sha, tree = commit
        if kind == "tree":
            return self.say(200, [described(name, tree[name]) for name in sorted(tree)])
        if file is None:
            files = [{"rfilename": one} for one in sorted(tree)]
            return self.say(200, {"id": name, "sha": sha, "siblings": files})
        if file not in tree:
            return self.refuse("EntryNotFound")
        etag = hashlib.sha256(tree[file]).hexdigest()
        return self.say(200, tree[file], {"X-Repo-Commit": sha, "ETag": f'"{etag}"'})

    do_HEAD = do_GET

    def do_PUT(self) -> None:
        data = self.body()
        self.server.objects[self.path.rpartition("/")[2]] = data
        self.say(200, {})

    def do_POST(self) -> None:
        path, data = unquote(urlsplit(self.path).path), self.body()
        self.server.asked.append(f"POST {path}")
        if path == "/api/validate-yaml":
            return self.say(200, {"errors": [], "warnings": []})
        if not self.may():
            return self.say(401, {"error": "Invalid username or password."})
        if path == "/api/repos/create":
            asked = json.loads(data)
            name = f"{asked['organization']}/{asked['name']}"
            if name in self.server.repositories:
                url = f"{self.server.address}/{name}"
                return self.say(409, {"error": "You already created this repo", "url": url})
            is_private = asked.get("visibility") == "private" or bool(asked.get("private"))
            self.server.repositories[name] = Repository(is_private)
            self.server.repositories[name].commit({".gitattributes": b""})
            return self.say(200, {"url": f"{self.server.address}/{name}", "name": name})
        if path.endswith(".git/info/lfs/objects/batch"):
            objects = [
                {**one, "actions": {"upload": {"href": f"{self.server.address}/lfs/{one['oid']}"}}}
                for one in json.loads(data)["objects"]
            ]
            return self.say(200, {"transfer": "basic", "objects": objects})
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/main", path)
        if found is None or found[1] not in self.server.repositories:
            return self.refuse()
        if found[2] == "preupload":
            files = [
                {"path": one["path"], "uploadMode": mode(one["path"]), "shouldIgnore": False}
                for one in json.loads(data)["files"]
            ]
            return self.say(200, {"files": files})
        sha = self.commit(found[1], [json.loads(line) for line in data.splitlines()])
        return self.say(
            200,
            {"commitUrl": f"{self.server.address}/{found[1]}/commit/{sha}", "commitOid": sha},
        )

    def commit(self, name: str, lines: list[dict[str, Any]]) -> str:
        repository = self.server.repositories[name]
        tree = dict(repository.commits[-1][1])
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                tree[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                tree[value["path"]] = self.server.objects[value["oid"]]
            elif line["key"] == "deletedFile":
                del tree[value["path"]]
        return repository.commit(tree)


def mode(path: str) -> str:
    return "lfs" if path.endswith(LARGE) else "regular"


def described(path: str, content: bytes) -> dict[str, Any]:
    oid = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    told: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": oid}
    if mode(path) == "lfs":
        sha256 = hashlib.sha256(content).hexdigest()
        told["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 134}
    return told
