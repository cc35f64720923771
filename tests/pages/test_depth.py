"""The depth page: a super-network at any number of blocks."""

import re

import pytest

from quantlib.imaging.samples import load_sample
from quantlib.models import load
from quantlib.models.catalogue import bundled
from quantlib.tasks.super_networks import through_blocks
from quantlib.tasks.super_resolution import reduced, sample_for
from tests.pages.test_pages import fine, opened

NAME = next(entry.name for entry in bundled() if entry.depths == "joint")


def test_the_sentence_says_what_was_measured():
    app = opened("depth", super_network=NAME, blocks="8", picture="Cat")
    assert fine(app)
    network = load(NAME)
    low, truth = reduced(sample_for("cat", network.scale), network.scale)
    order = network.network.block_order.tolist()  # type: ignore[union-attr, operator]
    wanted = through_blocks(network, order[:8], low, truth).psnr_y
    full = through_blocks(network, order, low, truth).psnr_y
    assert f"8 of 16 blocks keep {wanted:.2f} of {full:.2f} dB" in app.subheader[0].value
    assert re.search(r"5 random draws give \d\d\.\d\d ± \d\.\d\d dB", app.subheader[0].value)
    code = "\n".join(c.value for c in app.code)
    assert f"--model {NAME} --sample cat --scale {network.scale} --depth half" in code


def test_all_blocks_are_not_compared_with_random_ones():
    app = opened("depth", blocks="16", picture="Cat")
    assert fine(app)
    assert "random" not in app.subheader[0].value
    assert "--depth full" in app.code[0].value


def test_a_count_that_was_not_trained_has_no_command():
    app = opened("depth", blocks="7", picture="Cat")
    assert fine(app)
    assert len(app.code) == 1 and "through_blocks" in app.code[0].value


def test_the_lines_give_the_same_number(capsys):
    app = opened("depth", blocks="4", picture="Cat")
    exec(app.code[-1].value, {})
    printed = float(capsys.readouterr().out)
    assert f"keep {printed:.2f} of" in app.subheader[0].value


def test_an_upload_without_truth():
    app = opened("depth", picture="Your own picture", role="input")
    assert not app.exception
    assert "No picture yet" in app.info[0].value
    from quantlib.imaging.reading import png_bytes

    content = png_bytes(load_sample("cat", 48).rgb)
    app.file_uploader(key="upload").upload("cat.png", content, "image/png").run()
    assert fine(app)
    assert "blocks take" in app.subheader[0].value


@pytest.mark.parametrize("blocks", ["0", "99", "many"])
def test_impossible_counts_in_the_address(blocks):
    assert fine(opened("depth", blocks=blocks, picture="Cat"))
