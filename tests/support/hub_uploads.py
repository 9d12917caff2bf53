"""The small Hub of hub_server.py, extended by uploads."""

import base64
import hashlib
import json
import re
from urllib.parse import urlsplit

from support.hub_server import LARGE, TOKEN, HubServer, Repository, Request, _Handler


class UploadHub(HubServer):
    """A Hub that accepts new repositories and commits with `TOKEN`."""

    def __init__(self):
        """Listen on a free port of this machine."""
        super().__init__()
        self.large: dict[str, bytes] = {}  # SHA-256 → bytes of a file that was uploaded outside a commit
        self.messages: list[str] = []  # of the commits
        self.private: dict[str, bool] = {}
        self._http.RequestHandlerClass = type("Handler", (_UploadHandler,), {"hub": self})


class _UploadHandler(_Handler):
    hub: UploadHub

    def do_POST(self) -> None:
        """Answer the steps of an upload; everything else as HubServer does."""
        path = urlsplit(self.path).path
        for pattern, answer in UPLOADS:
            if match := re.fullmatch(pattern, path):
                self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.hub.requests.append(Request(self.command, path))
                token = self.headers.get("Authorization", "").removeprefix("Bearer ")
                if self.hub.down:
                    return self.refuse(503, None, "The Hub is taking a rest")
                if token != TOKEN and answer is not store:
                    return self.refuse(403 if token else 401, None, "You may not write here")
                return answer(self, *match.groups())
        return self.do_GET()

    do_PUT = do_POST

    def sent(self) -> dict:
        """Read the JSON of the request."""
        return json.loads(self.body)


def create(handler: _UploadHandler) -> None:
    """Create a repository, or answer that it exists."""
    wanted = handler.sent()
    name = f"{wanted['organization']}/{wanted['name']}"
    if ("models", name) in handler.hub.repositories:
        there = {"error": "You already created this model repo", "url": f"{handler.hub.url}/{name}"}
        return handler.send(json.dumps(there).encode(), 409, {"Content-Type": "application/json"})
    private = wanted.get("visibility") == "private" or wanted.get("private") is True
    repository = Repository(private=private)
    repository.commit({})
    handler.hub.repositories["models", name] = repository
    return handler.send_json({"url": f"{handler.hub.url}/{name}", "name": name})


def check_metadata(handler: _UploadHandler) -> None:
    """Check the metadata of a model card, as the Hub does before an upload."""
    assert handler.sent()["content"].startswith("---\n")
    handler.send_json({"errors": [], "warnings": []})


def sort_files(handler: _UploadHandler, name: str) -> None:
    """Say which files are to be uploaded in the commit, and which outside it."""
    modes = [
        {
            "path": file["path"],
            "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
            "shouldIgnore": False,
        }
        for file in handler.sent()["files"]
    ]
    handler.send_json({"files": modes})


def offer_places(handler: _UploadHandler, name: str) -> None:
    """Say where to upload large files."""
    objects = [
        wanted | {"actions": {"upload": {"href": f"{handler.hub.url}/large/{wanted['oid']}"}}}
        for wanted in handler.sent()["objects"]
    ]
    handler.send_json({"transfer": "basic", "objects": objects})


def store(handler: _UploadHandler, oid: str) -> None:
    """Store a large file, whose bytes must have the announced hash."""
    if hashlib.sha256(handler.body).hexdigest() != oid:
        return handler.refuse(400, None, "These are other bytes")
    handler.hub.large[oid] = handler.body
    return handler.send(b"", 200, {})


def commit(handler: _UploadHandler, name: str) -> None:
    """Make the newest commit of main from all files of an upload."""
    repository = handler.hub.repositories["models", name]
    files = dict(repository.commits[repository.branches["main"]])
    for line in handler.body.decode().splitlines():
        step = json.loads(line)
        value = step["value"]
        if step["key"] == "header":
            handler.hub.messages.append(value["summary"])
        elif step["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        else:
            files[value["path"]] = handler.hub.large[value["oid"]]
    oid = repository.commit(files)
    handler.send_json({"success": True, "commitOid": oid, "commitUrl": f"{handler.hub.url}/{name}/commit/{oid}"})


UPLOADS = (
    (r"/api/repos/create", create),
    (r"/api/validate-yaml", check_metadata),
    (r"/api/models/([^/]+/[^/]+)/preupload/[^/]+", sort_files),
    (r"/([^/]+/[^/]+)\.git/info/lfs/objects/batch", offer_places),
    (r"/large/([0-9a-f]{64})", store),
    (r"/api/models/([^/]+/[^/]+)/commit/[^/]+", commit),
)
