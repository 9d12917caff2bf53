"""The policy of a page: its own scripts by their hashes, and nothing else."""

import base64
import hashlib
import html
import re

from samizdat.publishing.content_policy import with_policy


def sources(page: str) -> list[str]:
    """The scripts that the policy of a page allows."""
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', with_policy(page)).group(1))
    return policy.split("script-src ")[1].split()


def digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def test_scripts_and_handlers_are_allowed_by_their_hashes():
    assert sources("<head></head><p>no script</p>") == ["'none'"]
    assert sources("<head></head><script>a('ž' < 1)</script>") == [digest("a('ž' < 1)")]
    handled = "<head></head><button onclick='b(&quot;c&quot;)'>x</button>"
    assert sources(handled) == ["'unsafe-hashes'", digest('b("c")')]
    assert sources("<head></head><script src='elsewhere.js'></script>") == ["'none'"]


def test_the_policy_follows_the_character_set_and_there_is_one():
    page = with_policy('<html><head>\n<meta charset="utf-8">\n<title>&lt;head&gt;</title></head></html>')
    assert page.index("charset") < page.index("Content-Security-Policy") < page.index("<title>")
    assert page.count("Content-Security-Policy") == 1
