"""What a repository of the Hub says of itself is text on the page."""

import json

import pytest
import torch
from safetensors.torch import save

from pages.parts.shared.as_text import as_text
from quantlib.models.architectures.edsr import EDSR
from tests.hub_server import HubServer, use_hub
from tests.pages.said import captions
from tests.pages.test_markup import rendered
from tests.pages.test_pages import opened

PICTURE = "![licence](http://127.0.0.1:9/licence.png)"


PAGES = ["workbench", "importance", "rlq"]


@pytest.mark.parametrize("page", PAGES)
def test_a_licence_is_no_picture(page, tmp_path, monkeypatch, little_work):
    torch.manual_seed(0)
    told = json.dumps(PICTURE)
    card = f"---\nlicense: {told}\nmodel_name: {told}\n---\n# {PICTURE}\n<script>x</script>\n"
    with HubServer() as server:
        use_hub(monkeypatch, server.url, tmp_path)
        weights = save(EDSR(2, 4, 1).state_dict())
        server.add("acme/tiny", {"net.safetensors": weights, "README.md": card.encode()})
        app = opened(page, network="hub:acme/tiny")
    assert not app.exception and not app.error
    assert any(as_text(PICTURE) in one for one in captions(app))
    assert not [one for one in rendered(app) if PICTURE in one or "<script" in one]
