"""Turn what uv and pip print when they fail into one error with a remedy."""

import re

from samizdat.base.errors import UserError
from samizdat.environment.system import how_to_install

# Pattern of the output, what happened, and what to do. The first pattern that is found counts.
_CAUSES = (
    (
        r"No space left on device|os error 28|Errno 28",
        "the disk is full",
        "free some disk space, then run the same command again",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|invalid peer certificate|UnknownIssuer|certificate verify failed",
        "the certificate of the package registry is not trusted here (often a proxy in between has its own)",
        "ask for the proxy's certificate file, set SSL_CERT_FILE and PIP_CERT to its path, then run the same command "
        "again",
    ),
    (
        r"ProxyError|407 Proxy|Proxy Authentication|proxy connect|tunnel error|unsuccessful tunnel",
        "the proxy refused the connection to the package registry",
        "check HTTPS_PROXY (http://name:password@host:port), then run the same command again",
    ),
    (
        r"dns error|Name or service not known|name resolution|Connection refused|timed out|tcp connect error"
        r"|Network is unreachable|NewConnectionError|ConnectTimeout|ReadTimeout|error sending request",
        "the package registry can't be reached",
        "check the connection to the network; behind a proxy set HTTPS_PROXY, and where a mirror of the registry is "
        "to be used set it in pip's config (pip config set global.index-url ADDRESS); then run the same command again",
    ),
    (
        r"do not match the hash|DO NOT MATCH THE HASHES|[Hh]ash mismatch",
        "a package is not the one that {pinned_in} names (another hash)",
        "delete the installer's cache (uv cache clean, pip cache purge) and run the same command again; if it happens "
        "again, the registry or the mirror serves other files: don't use it",
    ),
    (
        r"Read-only file system|Permission denied|os error (?:13|30)\b",
        "a folder can't be written",
        "make the folder that the lines above name writable, then run the same command again",
    ),
    (
        r"Python\.h|(?:gcc|g\+\+|clang|cc)' failed|No such file or directory: '[^']*(?:gcc|cc|clang)",
        "a package has no ready build for this Python and needs a C compiler",
        "take a Python from 3.11 to 3.13 (make PYTHON=python3.13), or install a compiler: {compiler}",
    ),
    (
        r"No matching distribution|not found in the package registry|has no usable wheels|no version of",
        "the package registry lacks a package that {pinned_in} names",
        "the lines above name it; if a mirror is set in pip's config, try without it",
    ),
)


def failed(what: str, output: str, *, pinned_in: str) -> UserError:
    """Make the error for an installer that failed.

    Args:
        what: what failed, such as "installing PyTorch".
        output: what the installer printed.
        pinned_in: the file that names the packages, with their versions and hashes.
    """
    for pattern, cause, remedy in _CAUSES:
        if re.search(pattern, output):
            compiler = how_to_install("compiler", "a C compiler and the headers of Python")
            return UserError(f"{what}: {cause.format(pinned_in=pinned_in)}", remedy=remedy.format(compiler=compiler))
    lines = [line for line in output.splitlines() if re.match(r"(?i)\s*error", line)]
    return UserError(
        f"{what} failed: {lines[0].strip() if lines else 'the installer gave no reason'}",
        remedy="run the same command again; if it fails again, report what the installer printed",
    )
