"""The policy of a page: its own scripts by their hashes, and nothing else."""

import base64
import hashlib
import html
import re

from samizdat.publishing.content_policy import with_policy


def policy_of(page: str) -> str:
    """The policy that a page gets."""
    return html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', with_policy(page)).group(1))


def sources(page: str) -> list[str]:
    """The scripts that the policy of a page allows."""
    return policy_of(page).split("script-src ")[1].split()


def digest(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def test_scripts_and_handlers_are_allowed_by_their_hashes():
    assert sources("<head></head><p>no script</p>") == ["'none'"]
    assert sources("<head></head><script>a('ž' < 1)</script>") == [digest("a('ž' < 1)")]
    handled = "<head></head><button onclick='b(&quot;c&quot;)'>x</button>"
    assert sources(handled) == ["'unsafe-hashes'", digest('b("c")')]
    assert sources("<head></head><script src='elsewhere.js'></script>") == ["'none'"]


def test_several_scripts_are_allowed_in_the_order_of_their_hashes():
    script, data, handler = "if (a < b && c) { go(); }", '{"a": "&amp;"}', 'go("x")'
    page = f"<head></head><script>{script}</script><script type='application/json'>{data}</script>"
    page += "<a href='#' onclick='go(&quot;x&quot;)'>x</a><script src='https://example.org/x.js'></script>"
    assert sources(page) == ["'unsafe-hashes'", *sorted([digest(script), digest(data), digest(handler)])]


def test_the_policy_follows_the_character_set_and_there_is_one():
    page = with_policy('<html><head>\n<meta charset="utf-8">\n<title>&lt;head&gt;</title></head></html>')
    assert page.index("charset") < page.index("Content-Security-Policy") < page.index("<title>")
    assert page.count("Content-Security-Policy") == 1


def test_a_page_may_request_nothing():
    page = '<!DOCTYPE html>\n<head>\n<meta charset="utf-8">\n<title>x</title>'
    start = '<!DOCTYPE html>\n<head>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy"'
    assert with_policy(page).startswith(start)
    assert policy_of(page).startswith("default-src 'none'; ") and policy_of(page).endswith("script-src 'none'")
