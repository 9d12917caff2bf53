"""What an installer says when it fails becomes one line: the network, a proxy, a certificate, a disk."""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from samizdat.environment.installer_errors import failed

PIP = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--retries=1", "--timeout=5"]
INSTALLERS = {"pip": [*PIP, "install", "--target", "new"]}
if uv := shutil.which("uv"):
    INSTALLERS["uv"] = [uv, "pip", "install", "--no-config", "--no-cache", "--target", "new"]


class Refusing(BaseHTTPRequestHandler):
    """A proxy that wants a password, and a registry that has nothing."""

    def do_CONNECT(self):
        self.send_error(407, "Proxy Authentication Required")

    def do_GET(self):
        self.send_error(404)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with HTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def said(name: str, folder: Path, index: str, package: str = "nothing-of-this-name", **variables: str) -> str:
    """What an installer says that is asked for a package of an index."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_", "SSL_"))}
    environment |= {"UV_HTTP_RETRIES": "0"} | variables
    command = [*INSTALLERS[name], "--index-url", index, package]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", INSTALLERS)
def test_a_registry_out_of_reach(name, tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        index = f"http://127.0.0.1:{unused.getsockname()[1]}/simple"
        error = failed("installing", said(name, tmp_path, index), pinned_in="envs/lock.txt")
    assert str(error).startswith(
        "installing: the package registry can't be reached.\n  What to do: check the connection"
    )


@pytest.mark.parametrize("name", INSTALLERS)
def test_a_registry_behind_a_certificate_that_nobody_knows(name, tmp_path, server):
    certificate = tmp_path / "own.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(certificate), "-out", str(tmp_path / "c.pem")]
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem", certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    output = said(name, tmp_path, f"https://localhost:{server.server_address[1]}/simple")
    assert "certificate of the package registry is not trusted" in str(
        failed("installing", output, pinned_in="envs/lock.txt")
    )


@pytest.mark.parametrize("name", INSTALLERS)
def test_a_proxy_that_refuses(name, tmp_path, server):
    proxy = f"http://127.0.0.1:{server.server_address[1]}"
    output = said(name, tmp_path, "https://registry.example/simple", HTTPS_PROXY=proxy, https_proxy=proxy)
    assert "the proxy refused the connection" in str(failed("installing", output, pinned_in="envs/lock.txt"))


@pytest.mark.parametrize("name", INSTALLERS)
def test_a_package_that_the_registry_lacks(name, tmp_path, server):
    output = said(name, tmp_path, f"http://127.0.0.1:{server.server_address[1]}/simple")
    assert "the package registry lacks a package" in str(failed("installing", output, pinned_in="envs/lock.txt"))


@pytest.mark.parametrize(
    ("output", "cause"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "the disk is full"),
        ("  cause: failed to write: No space left on device (os error 28)", "the disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "not the one that envs/lock.txt"),
        ("  cause: Hash mismatch for `six==1.17.0`", "not the one that envs/lock.txt"),
        ("fatal error: Python.h: No such file or directory", "needs a C compiler"),
        ("error: command 'gcc' failed: No such file or directory", "needs a C compiler"),
        ("error: failed to create directory `/home/a/.cache/uv`: Permission denied (os error 13)", "can't be written"),
        ("something else", "failed: the installer gave no reason"),
        ("one\nERROR: of its own\ntwo", "failed: ERROR: of its own"),
    ],
)
def test_other_causes(output, cause):
    assert cause in str(failed("installing", output, pinned_in="envs/lock.txt"))
