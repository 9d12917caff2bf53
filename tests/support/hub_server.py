"""A small Hub on this machine: serves folders as repositories, by the paths of the Hugging Face Hub."""

import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_of_the_tests"  # may read private repositories
READERS_TOKEN = "hf_of_a_stranger"  # is known, but may read only public repositories
# Suffixes of files that the Hub stores outside git, and so names by their SHA-256.
LARGE = (".bin", ".safetensors", ".model", ".parquet")


@dataclass
class Repository:
    """A repository: the files of each commit, and the newest commit of each branch."""

    private: bool = False
    gated: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, bytes], branch: str = "main", commit: str | None = None) -> str:
        """Add a commit with these files to a branch; return its name: the given one, or a hash of 40 hex digits."""
        if commit is None:
            listing = "".join(f"{name} {_git_id(content)}\n" for name, content in sorted(files.items()))
            commit = hashlib.sha1(f"{branch} {len(self.commits)}\n{listing}".encode()).hexdigest()
        self.commits[commit] = files
        self.branches[branch] = commit
        return commit

    def resolve(self, revision: str) -> str | None:
        """Return the commit that a branch or a commit's full name means; None where there is none."""
        return revision if revision in self.commits else self.branches.get(revision)


@dataclass(frozen=True)
class Request:
    """One request of a client."""

    method: str
    path: str  # decoded, without the query


class HubServer:
    """A server of repositories that records every request."""

    def __init__(self):
        """Listen on a free port of this machine."""
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.requests: list[Request] = []
        self.down = False  # answer everything with 503
        self._http = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The value for HF_ENDPOINT."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def stop(self) -> None:
        """Stop answering."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def add(self, name: str, folder: Path, *, kind: str = "models", commit: str | None = None, **access: bool) -> str:
        """Serve the files of a folder as the newest commit of the branch main; return the commit."""
        repository = self.repositories.setdefault((kind, name), Repository(**access))
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        return repository.commit(files, commit=commit)

    def fetched(self, name: str) -> set[str]:
        """Return the names of a repository's files that were downloaded."""
        pattern = re.compile(rf"/(?:datasets/)?{re.escape(name)}/resolve/[^/]+/(.+)")
        found = (pattern.fullmatch(request.path) for request in self.requests if request.method == "GET")
        return {match.group(1) for match in found if match}

    def variables(self, home: Path, **more: str) -> dict[str, str]:
        """Return the environment variables that make this the only Hub, with a cache of its own and no telemetry."""
        quiet = {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_UPDATE_DOWNLOAD_COUNTS": "0"}
        return {"HF_ENDPOINT": self.url, "HF_HOME": str(home)} | quiet | more


class _Server(ThreadingHTTPServer):
    # A client opens a connection for every file at once; with the default of 5 the system drops some.
    request_queue_size = 128


Answer = Callable[["_Handler", Repository, str, str], None]


class _Handler(BaseHTTPRequestHandler):
    """One connection; `ROUTES` says which function answers which path."""

    hub: HubServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer a GET, HEAD or POST."""
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(length)
        path = urlsplit(self.path).path
        self.hub.requests.append(Request(self.command, unquote(path)))
        if self.hub.down:
            return self.refuse(503, None, "The Hub is taking a rest")
        for methods, pattern, answer in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and self.command in methods:
                parts = {name: unquote(value or "") for name, value in match.groupdict().items()}
                kind = parts["kind"].strip("/") or "models"
                return self._answer(answer, kind, parts["name"], parts["revision"] or "main", parts.get("path", ""))
        return self.refuse(404, None, f"Nothing answers {self.command} {path}")

    do_HEAD = do_POST = do_GET

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing; the requests are recorded."""

    def _answer(self, answer: Answer, kind: str, name: str, revision: str, path: str) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        repository = self.hub.repositories.get((kind, name))
        if repository is None or (repository.private and token != TOKEN):
            # The answer must not tell a stranger whether there is such a repository.
            return self.refuse(404 if token else 401, "RepoNotFound", "Repository not found")
        commit = repository.resolve(revision)
        if commit is None:
            return self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if answer is send_file and repository.gated and token != TOKEN:
            return self.refuse(403 if token else 401, "GatedRepo", f"Access to {kind[:-1]} {name} is restricted")
        return answer(self, repository, commit, path)

    def refuse(self, status: int, code: str | None, message: str, **headers: str) -> None:
        """Send an error as the Hub does, with the reason in two headers."""
        named = {"X-Error-Code": code} if code else {}
        self.send(json.dumps({"error": message}).encode(), status, named | {"X-Error-Message": message} | headers)

    def send_json(self, value: object) -> None:
        """Send an answer of the API."""
        self.send(json.dumps(value).encode(), 200, {"Content-Type": "application/json"})

    def send(self, body: bytes, status: int, headers: dict[str, str]) -> None:
        """Send a whole answer; for HEAD, without the body."""
        self.send_response(status)
        for key, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def send_info(handler: _Handler, repository: Repository, commit: str, path: str) -> None:
    """Send the commit of a revision and the names of its files."""
    siblings = [{"rfilename": name} for name in sorted(repository.commits[commit])]
    handler.send_json({"id": "", "sha": commit, "private": repository.private, "tags": [], "siblings": siblings})


def send_tree(handler: _Handler, repository: Repository, commit: str, path: str) -> None:
    """Send the files and folders below a folder: all of them, or only its direct children."""
    recursive = parse_qs(urlsplit(handler.path).query).get("recursive", [""])[0].lower() in ("true", "1")
    below = f"{path}/" if path else ""
    entries = [entry for entry in _entries(repository.commits[commit]) if entry["path"].startswith(below)]
    if not entries:
        return handler.refuse(404, "EntryNotFound", f"{path} does not exist")
    return handler.send_json([entry for entry in entries if recursive or "/" not in entry["path"][len(below) :]])


def send_paths_info(handler: _Handler, repository: Repository, commit: str, path: str) -> None:
    """Send the entries of the paths that the form names; those that don't exist are left out."""
    wanted = set(parse_qs(handler.body.decode()).get("paths", []))
    handler.send_json([entry for entry in _entries(repository.commits[commit]) if entry["path"] in wanted])


def send_file(handler: _Handler, repository: Repository, commit: str, path: str) -> None:
    """Send a file's bytes, with the commit and the hash by which the client caches it."""
    content = repository.commits[commit].get(path)
    if content is None:
        return handler.refuse(404, "EntryNotFound", "Entry not found", **{"X-Repo-Commit": commit})
    etag = f'"{_sha256(content) if path.endswith(LARGE) else _git_id(content)}"'
    linked = {"X-Linked-Etag": etag, "X-Linked-Size": str(len(content))} if path.endswith(LARGE) else {}
    return handler.send(content, 200, {"X-Repo-Commit": commit, "ETag": etag, "Accept-Ranges": "none"} | linked)


API = r"/api/(?P<kind>models|datasets)/(?P<name>[^/]+(?:/[^/]+)?)"
REVISION = r"(?P<revision>[^/]+)"
ROUTES: tuple[tuple[tuple[str, ...], str, Answer], ...] = (
    (("GET",), rf"{API}(?:/revision/{REVISION})?", send_info),
    (("GET",), rf"{API}/tree/{REVISION}(?:/(?P<path>.*))?", send_tree),
    (("POST",), rf"{API}/paths-info/{REVISION}", send_paths_info),
    (
        ("GET", "HEAD"),
        rf"/(?P<kind>datasets/)?(?P<name>[^/]+(?:/[^/]+)?)/resolve/{REVISION}/(?P<path>.+)",
        send_file,
    ),
)


def _entries(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """List every file and folder as the API describes them."""
    folders = {parent.as_posix() for name in files for parent in Path(name).parents} - {"."}
    found: list[dict[str, Any]] = [
        {"type": "directory", "path": name, "oid": _git_id(name.encode()), "size": 0} for name in sorted(folders)
    ]
    for name, content in sorted(files.items()):
        entry = {"type": "file", "path": name, "oid": _git_id(content), "size": len(content)}
        if name.endswith(LARGE):
            entry["lfs"] = {"oid": _sha256(content), "size": len(content), "pointerSize": 134}
        found.append(entry)
    return found


def _git_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
