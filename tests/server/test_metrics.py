"""Streamlit's figures are for whoever runs the server."""

import pytest

from pages.parts.server.metrics import CLOSED
from tests.server.asking import ask
from tests.server.conftest import TOKEN

PLACES = ["/_stcore/metrics", "/_stcore/metrics?families=session_events", "/_stcore/%6detrics"]


@pytest.mark.parametrize("path", [*PLACES, "/_stcore/metrics/"])
@pytest.mark.parametrize(
    "given", ["", "Bearer ", "Bearer x", f"Bearer {TOKEN}x", TOKEN, "Bearer é"]
)
def test_they_are_closed_without_the_token(app, path, given):
    answer = ask(app.url, path, Authorization=given)
    assert answer.status == 404 and answer.text.strip() == CLOSED


@pytest.mark.parametrize("path", PLACES)
def test_the_token_opens_them(app, path):
    answer = ask(app.url, path, Authorization=f"Bearer {TOKEN}")
    assert answer.status == 200 and answer.text.endswith("# EOF\n")


def test_without_a_token_nobody_has_it(little_app):
    for given in ("Bearer ", "Bearer"):
        assert ask(little_app.url, PLACES[0], Authorization=given).status == 404
