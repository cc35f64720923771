"""No address gives a file of the server."""

import pytest

from tests.browser.server import ROOT
from tests.server.asking import ask

UP = ["..", "%2e%2e", "..%2f..", "%2e%2e%2f%2e%2e", "..%5c..", ".%00.", "....//"]
STEMS = ["", "static", "media", "component/x", "app/static", "_stcore/bidi-components/x"]
SECRETS = ["def ", "root:", "[server]", "import streamlit"]


@pytest.mark.parametrize("stem", STEMS)
def test_climbing_leads_nowhere(app, stem):
    for step in UP:
        for target in ("app.py", ".streamlit/config.toml", "etc/passwd"):
            for depth in (1, 3, 8):
                path = "/".join(["", *filter(None, [stem]), *[step] * depth, target])
                answer = ask(app.url, path)
                assert not [one for one in SECRETS if one in answer.text], path
                assert answer.status in (200, 400, 403, 404), path


@pytest.mark.parametrize("path", ["//etc/passwd", f"/{ROOT}/app.py", "/static//etc/passwd"])
def test_absolute_paths_lead_nowhere(app, path):
    answer = ask(app.url, path)
    assert not [one for one in SECRETS if one in answer.text]
