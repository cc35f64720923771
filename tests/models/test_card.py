"""Cards of networks: what is written is what is read."""

import json
from pathlib import Path

import pytest

from quantlib.errors import QuantlibError
from quantlib.models.card import SEGMENTATION, NetworkCard
from quantlib.models.catalogue import WEIGHTS_FOLDER, card_of
from quantlib.models.preprocessing import Preprocessing

BUNDLED = sorted(WEIGHTS_FOLDER.glob("*.json"))


@pytest.mark.parametrize("file", BUNDLED, ids=lambda file: file.stem)
def test_a_bundled_card_is_written_as_it_was_read(file: Path, tmp_path: Path) -> None:
    card = NetworkCard.read(file)
    card.write(tmp_path / file.name)
    assert json.loads((tmp_path / file.name).read_text("utf-8")) == json.loads(file.read_text())
    assert NetworkCard.read(tmp_path / file.name) == card
    assert card_of(f"builtin:{file.stem}") == card


def test_what_a_card_says_of_bits_and_depths() -> None:
    quantized = card_of("builtin:quantsr-c-x2-w4a4")
    full = card_of("builtin:edsr-x2")
    assert quantized is not None and full is not None
    assert (quantized.bits, full.bits, full.is_quantized) == (4, 32, False)
    assert list(quantized.scores) == ["full", "half", "quarter"]
    assert full.scores == {"full": full.psnr_y}


def test_what_is_not_known_stays_away(tmp_path: Path) -> None:
    card = NetworkCard("U-Net", task=SEGMENTATION, preprocessing=Preprocessing(64, crop=0.5))
    card.write(tmp_path / "card.json")
    stated = json.loads((tmp_path / "card.json").read_text())
    assert not {"scale", "psnr_y", "depths", "source", "classes"} & stated.keys()
    assert NetworkCard.read(tmp_path / "card.json") == card


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"architecture": "EDSR"}', '{"architecture": "EDSR", "scale": "two"}'],
)
def test_what_is_no_card(tmp_path: Path, content: str) -> None:
    (tmp_path / "net.json").write_text(content)
    with pytest.raises(QuantlibError, match=r"The card net\.json in .* cannot be read; write it"):
        NetworkCard.read(tmp_path / "net.json")
