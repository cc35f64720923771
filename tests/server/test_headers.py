"""What every answer tells a browser."""

from urllib.parse import urlsplit

import pytest

from pages.parts.server.headers import INDEX, SecurityHeaders, hashes
from pages.parts.server.space import FramedCookies
from tests.server.asking import ask, asked

KEYWORDS = {"'none'", "'self'", "'unsafe-inline'", "data:", "blob:"}


def policy_of(headers) -> dict[str, list[str]]:
    rules = (rule.split() for rule in headers["content-security-policy"].split(";"))
    return {name: sources for name, *sources in rules}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/compare", 200),
        ("/health", None),
        ("/_stcore/health", 200),
        ("/_stcore/host-config", 200),
        ("/_stcore/metrics", 404),
        ("/media/nothing.png", 404),
        ("/static/js/nothing.js", None),
    ],
)
def test_every_answer_has_them(app, path, status):
    answer = ask(app.url, path)
    assert status in (None, answer.status)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert policy_of(answer.headers)["frame-ancestors"] == ["'none'"]
    assert "access-control-allow-origin" not in answer.headers


def test_the_policy_names_no_other_server(app):
    own = urlsplit(app.url).netloc
    policy = policy_of(ask(app.url).headers)
    assert policy["default-src"] == ["'none'"]
    named = {source for sources in policy.values() for source in sources} - KEYWORDS
    assert named == {f"ws://{own}", f"wss://{own}", *hashes(INDEX.read_text("utf-8"))}
    assert "'unsafe-inline'" not in policy["script-src"]


def test_a_refusal_has_them_too(app):
    answer = ask(app.url, Host="elsewhere.example")
    assert answer.status == 400
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["a b", "x; script-src *", "evil.example,*", "[::1]:80", ""])
def test_an_odd_host_writes_nothing_into_the_policy(host):
    async def nothing(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    policy = policy_of(asked(SecurityHeaders(nothing), host=host).headers)
    assert policy["connect-src"] == ["'self'", "data:", "blob:"]


def test_an_error_has_them_and_tells_nothing():
    async def broken(scope, receive, send):
        raise ArithmeticError("a secret")

    answer = asked(SecurityHeaders(broken))
    assert answer.status == 500 and "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_space_is_shown_inside_the_page_of_the_hub(monkeypatch):
    async def nothing(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    monkeypatch.setenv("SPACE_HOST", "me-bitlens.hf.space")
    headers = asked(SecurityHeaders(nothing)).headers
    assert policy_of(headers)["frame-ancestors"] == ["https://huggingface.co"]
    assert "x-frame-options" not in headers


COOKIE = "_streamlit_xsrf=2|ab|cd; Path=/; SameSite=Lax"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("", COOKIE),
        ("me-bitlens.hf.space", f"{COOKIE[:-12]}SameSite=None; Secure; Partitioned"),
    ],
)
def test_in_a_space_the_token_comes_along_from_inside_the_frame(host, expected, monkeypatch):
    async def with_a_cookie(scope, receive, send):
        headers = [(b"Set-Cookie", COOKIE.encode()), (b"Vary", b"Lax")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    if host:
        monkeypatch.setenv("SPACE_HOST", host)
    headers = asked(FramedCookies(with_a_cookie)).headers
    assert headers == {"set-cookie": expected, "vary": "Lax"}


@pytest.mark.parametrize(
    "path", ["/_stcore/health", "/_stcore/host-config", "/_stcore/upload_file/me/1", "/media/x.png"]
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_pages_of_others_read_nothing(app, path, method):
    """Unless it is told that they may, a browser keeps an answer from the page that asked."""
    for origin in ("https://elsewhere.example", "http://localhost:8501"):
        asking = {"Origin": origin, "Access_Control_Request_Method": "PUT"}
        answer = ask(app.url, path, method=method, body=b"", **asking)
        assert not [name for name in answer.headers if name.startswith("access-control-")]
