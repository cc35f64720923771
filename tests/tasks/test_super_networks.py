from typing import Any

import numpy as np
import pytest
import torch

from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import weight_sizes
from quantlib.evaluation.operations import counted_pass
from quantlib.imaging.tensors import to_tensor, to_uint8
from quantlib.models import SRNetwork, load
from quantlib.models.architectures.edsr import EDSR
from quantlib.qat.scheme import quantized_layers
from quantlib.tasks.super_networks import (
    random_blocks,
    skip_order,
    super_network,
    through_blocks,
    with_8bit_ends,
)
from quantlib.tasks.super_resolution import reduced, sample_for
from tests.deep_network import BLOCKS, ORDER, write_deep_network

BITS, FEATURES = 3, 4
LOW = np.random.default_rng(0).integers(0, 256, (10, 12, 3), np.uint8)


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> SRNetwork:
    return load(str(write_deep_network(tmp_path_factory.mktemp("deep") / "deep.safetensors", BITS)))


def test_the_first_to_be_skipped_is_the_last_of_the_order(network):
    assert skip_order(network) == ORDER[::-1]


def test_skipped_blocks_leave_their_shortcut(network):
    """Against the same pass written down block by block."""
    result = through_blocks(network, [0, 2], LOW, None)
    inner: Any = super_network(network)
    with torch.no_grad():
        x = head = inner.head(to_tensor(LOW))
        for i, block in enumerate(inner.residual_blocks):
            x = block.shortcut * x + (block.body(x) if i in (0, 2) else 0)
        wanted = inner.tail(head + inner.body[-1](x))
    assert np.array_equal(result.rgb, to_uint8(wanted))
    assert result.psnr_y is None


def test_macs_by_hand(network):
    pixels = 10 * 12
    block = 2 * 9 * FEATURES**2 * pixels
    ends = 9 * (3 * FEATURES + FEATURES**2 + 4 * FEATURES**2 + 4 * 3 * FEATURES) * pixels
    for kept in range(BLOCKS + 1):
        counts = through_blocks(network, range(kept), LOW, None).macs
        assert counts.quantized == kept * block
        assert counts.full == ends
        assert counts.bit_operations == kept * block * BITS**2 + ends * 1024
        share = (kept * block * BITS**2 / 1024 + ends) / (kept * block + ends)
        assert counts.saved == pytest.approx(1 - share)


def test_ends_of_8_bits_by_hand(network):
    pixels = 10 * 12
    before = through_blocks(network, [0, 2], LOW, None)
    other = with_8bit_ends(network, LOW)
    found = through_blocks(other, [0, 2], LOW, None)
    blocks = 2 * 2 * 9 * FEATURES**2 * pixels
    ends = 9 * (3 * FEATURES + FEATURES**2 + 4 * FEATURES**2 + 4 * 3 * FEATURES) * pixels
    assert found.macs.full == 0 and found.macs.quantized == blocks + ends
    assert found.macs.bit_operations == blocks * BITS**2 + ends * 64
    assert not np.array_equal(found.rgb, before.rgb)
    assert len(quantized_layers(network)) == 2 * BLOCKS  # the network itself is left as it is
    weights = 9 * (3 * FEATURES + FEATURES**2 + 4 * FEATURES**2 + 3 * FEATURES)
    shifts, steps, header = 3 + 3 * FEATURES, 2 * 4, 32 + 4  # numbers, numbers, bytes per layer
    saved = 3 * weights - 4 * (shifts + steps) - 4 * header
    assert before.weights.total - found.weights.total == saved


def test_ends_of_8_bits_lose_little():
    network = load("builtin:quantsr-c-x2-w4a4")
    low, truth = reduced(sample_for("cat", 2), 2)
    before = through_blocks(network, range(16), low, truth).psnr_y
    found = through_blocks(with_8bit_ends(network, low), range(16), low, truth).psnr_y
    assert before is not None and found is not None
    assert before - 0.3 < found < before


def test_counting_leaves_no_hooks(network):
    counted_pass(network, to_tensor(LOW))
    assert not any(module._forward_hooks for module in network.modules())


def test_bytes_of_the_weights(network):
    """Packed bytes of the quantized layers, four bytes for every other number."""
    packed = sum(len(x.encode_weight().to_bytes()) for x in quantized_layers(network).values())
    in_layers = 2 * BLOCKS * 9 * FEATURES**2
    others = sum(p.numel() for p in network.parameters()) - in_layers
    sizes = weight_sizes(network)
    assert sizes.total == packed + 4 * others
    assert sizes.fp32 == 4 * (in_layers + others)
    assert through_blocks(network, [1], LOW, None).weights.total < sizes.total
    plain = weight_sizes(EDSR(2, 4, 1))
    assert plain.total == plain.fp32


def test_random_blocks():
    assert random_blocks(8, 3, seed=1) == random_blocks(8, 3, seed=1)
    drawn = {random_blocks(8, 3, seed) for seed in range(20)}
    assert len(drawn) > 5
    assert all(len(set(one)) == 3 and list(one) == sorted(one) for one in drawn)


def test_a_network_with_one_depth():
    with pytest.raises(QuantlibError, match="has one depth only; choose a quantsr-c or quantsr-t"):
        skip_order(SRNetwork(EDSR(2, 4, 1), "EDSR", 2))
