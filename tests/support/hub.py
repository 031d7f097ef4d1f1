"""A stand-in of the Hugging Face hub on this machine: creating, committing, fetching."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from huggingface_hub import ModelCard

TOKEN = "hf_right"  # noqa: S105
OID = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """Repositories by name, with their files; one user, called `me`.

    Attributes:
        repositories: Content of files by repository and place.
        private: Names of those that are private.
        spoils: Change the last byte of files whose place ends like this, when they are fetched.
        endpoint: Address.
        requests: Method and path of everything that was asked.
    """

    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    spoils: str = ""
    endpoint: str = ""
    requests: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, token: str | None, body: bytes) -> tuple[int, Any]:
        """Status, and JSON or bytes."""
        self.requests.append(f"{method} {path}")
        if token != f"Bearer {TOKEN}":
            return 401, {"error": "Invalid credentials"}
        if path == "/api/whoami-v2":
            return 200, {"name": "me", "type": "user"}
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if path == "/api/validate-yaml":
            return 200, {"warnings": [], "errors": []}
        parts = path.lstrip("/").split("/")
        if parts[:2] == ["api", "models"]:
            name, rest = "/".join(parts[2:4]), parts[4:]
            return self._about(name, rest, body)
        name, _, place = path.lstrip("/").partition(f"/resolve/{OID}/")
        content = self.repositories.get(name, {}).get(place)
        if content is None:
            return 404, {"error": "no such file"}
        if self.spoils and place.endswith(self.spoils):
            content = content[:-1] + bytes([content[-1] ^ 0x40])
        return 200, content

    def _create(self, wanted: dict[str, Any]) -> tuple[int, Any]:
        owner = wanted.get("organization") or "me"
        name = f"{owner}/{wanted['name']}"
        if owner != "me":
            return 403, {"error": f"You don't have the rights to create under {owner}"}
        url = {"url": f"{self.endpoint}/{name}"}
        if name in self.repositories:
            return 409, url | {"error": "You already created this model repo"}
        self.repositories[name] = {".gitattributes": b""}
        if wanted.get("visibility") == "private" or wanted.get("private"):
            self.private.add(name)
        return 200, url | {"name": name}

    def _about(self, name: str, rest: list[str], body: bytes) -> tuple[int, Any]:
        if name not in self.repositories:
            return 404, {"error": "Repository not found"}
        files = self.repositories[name]
        if rest[:1] == ["preupload"]:
            asked = json.loads(body)["files"]
            return 200, {
                "files": [
                    {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for one in asked
                ]
            }
        if rest[:1] == ["commit"]:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                elif line["key"] == "deletedFile":
                    del files[line["value"]["path"]]
                elif line["value"].get("parentCommit", OID) != OID:
                    return 412, {"error": "A commit has happened since"}
            return 200, {"success": True, "commitOid": OID, "commitUrl": f"{self.endpoint}/{name}"}
        siblings = [{"rfilename": place} for place in files]
        return 200, {
            "id": name,
            "sha": OID,
            "private": name in self.private,
            "siblings": siblings,
            "tags": ModelCard(files.get("README.md", b"").decode()).data.tags or [],
        }


@contextmanager
def served(hub: Hub) -> Iterator[Hub]:
    """Serve it on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, token = self.path.partition("?")[0], self.headers.get("Authorization")
            status, answer = hub.answer(self.command, path, token, body)
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-Repo-Commit", OID)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_HEAD = _do  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
