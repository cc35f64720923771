"""Who may upload, and how much."""

import re
import tomllib

import pytest

from pages.parts.classify import pictures
from pages.parts.recognition import networks
from pages.parts.server import uploads
from pages.parts.server.uploads import BYTES_OF_A_VISIT, BYTES_OF_ALL, FILES_OF_A_VISIT, PATH
from pages.parts.shared.uploads import PICTURE_MEGABYTES
from pages.parts.super_resolution import own_network
from tests.browser.server import ROOT
from tests.server.asking import ask, ask_app, asked

BOUNDARY = "-----"
FORM = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="x.png"\r\n\r\n'
    f"x\r\n--{BOUNDARY}--\r\n"
).encode()
KIND = f"multipart/form-data; boundary={BOUNDARY}"


def put(url: str, session: str, file: str, token: str, said: str | None = None) -> int:
    """The browser brings the `token` along; only the own page can read it, to have it `said`."""
    headers = {
        "Content_Type": KIND,
        "Cookie": f"_streamlit_xsrf={token}",
        "X_Xsrftoken": token if said is None else said,
    }
    return ask(url, f"{PATH}{session}/{file}", method="PUT", body=FORM, **headers).status


@pytest.fixture
def token(little_app) -> str:
    """That of the own page."""
    cookie = ask(little_app.url, "/_stcore/health").headers["set-cookie"]
    found = re.search(r"_streamlit_xsrf=([^;]+)", cookie)
    assert found
    return found[1]


def test_a_visit_uploads_with_its_token_and_not_without_end(visit, little_app, token):
    visit.run()
    other = ask(little_app.url, "/_stcore/health").headers["set-cookie"].partition("=")[2]
    for said in ("", "x", other.partition(";")[0]):
        assert put(little_app.url, visit.session, "0", token, said) == 403
    assert put(little_app.url, "somebody-elses", "0", token) == 400
    told = [put(little_app.url, visit.session, str(n), token) for n in range(FILES_OF_A_VISIT + 1)]
    assert told == [204] * FILES_OF_A_VISIT + [413]


async def taken(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def told(held: dict[str, list[int]], monkeypatch, **headers: str) -> int:
    """The status of an upload of the visit `me`."""
    monkeypatch.setattr(uploads, "_held", lambda: held)
    return asked(uploads.BoundedUploads(taken), f"{PATH}me/1", "PUT", **headers).status


def test_the_bytes_of_a_visit_are_bounded(monkeypatch):
    held = {"me": [BYTES_OF_A_VISIT - 10]}
    assert told(held, monkeypatch, content_length="10") == 204
    assert told(held, monkeypatch, content_length="11") == 413
    assert told({"another": held["me"]}, monkeypatch, content_length="11") == 204


def test_the_bytes_of_all_visits_are_bounded(monkeypatch):
    held = {"another": [BYTES_OF_ALL - 10]}
    assert told(held, monkeypatch, content_length="10") == 204
    assert told(held, monkeypatch, content_length="11") == 503


def test_without_a_length_the_longest_counts(monkeypatch):
    held = {"me": [BYTES_OF_A_VISIT - 100]}
    assert told(held, monkeypatch) == 413
    assert told(held, monkeypatch, content_length="-5") == 413


def test_what_is_on_its_way_counts(monkeypatch):
    monkeypatch.setattr(uploads, "_held", dict)
    within: list[int] = []

    async def slow(scope, receive, send):
        if not within:
            within.append(0)
            half = str(BYTES_OF_A_VISIT // 2)
            within.append((await ask_again(half)).status)
            within.append((await ask_again(str(BYTES_OF_A_VISIT // 2 + 1))).status)
        await taken(scope, receive, send)

    guard = uploads.BoundedUploads(slow)

    async def ask_again(length: str):
        return await ask_app(guard, f"{PATH}me/2", "PUT", content_length=length)

    asked(guard, f"{PATH}me/1", "PUT", content_length=str(BYTES_OF_A_VISIT // 2))
    assert within == [0, 204, 413]
    assert not guard.on_their_way


def test_fields_and_server_agree():
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    limit = settings["server"]["maxUploadSize"]
    fields = [one.MAX_MEGABYTES for one in (pictures, networks, own_network)]
    assert max(*fields, PICTURE_MEGABYTES) == limit
    assert limit * 1024**2 <= BYTES_OF_A_VISIT <= BYTES_OF_ALL
