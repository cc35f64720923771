"""What a repository of the Hub says of itself is text on the page."""

import json

import pytest
import torch
from safetensors.torch import save

from pages.parts.shared.as_text import as_text
from quantlib.models.architectures.edsr import EDSR
from tests.hub_server import HubServer, use_hub
from tests.pages.said import captions
from tests.pages.test_pages import opened

PICTURE = "![licence](http://127.0.0.1:9/licence.png)"


@pytest.mark.parametrize("page", ["importance", "rlq"])
def test_a_licence_is_no_picture(page, tmp_path, monkeypatch, little_work):
    torch.manual_seed(0)
    card = f"---\nlicense: {json.dumps(PICTURE)}\n---\n"
    with HubServer() as server:
        use_hub(monkeypatch, server.url, tmp_path)
        weights = save(EDSR(2, 4, 1).state_dict())
        server.add("acme/tiny", {"net.safetensors": weights, "README.md": card.encode()})
        app = opened(page, network="hub:acme/tiny")
    assert not app.exception and not app.error
    said = captions(app)
    assert any(as_text(PICTURE) in one for one in said)
    assert not any(PICTURE in one for one in [*said, *(m.value for m in app.markdown)])
