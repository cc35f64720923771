import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from quantlib.errors import QuantlibError
from quantlib.ptq.calibration import PLACES, VALUES_PER_CHANNEL, Observation
from quantlib.ptq.sites import Site


def observed(layer: nn.Module, *inputs: Tensor, axis: int = 1) -> Observation:
    site = Site("layer", ("layer",), inputs[0].shape[axis], axis, False)
    observation = Observation(site)
    for x in inputs:
        observation.add(x, layer)
    return observation


def products(observation: Observation) -> Tensor:
    """Σ over channels and taps of rows and weights: `(P, O)`."""
    assert observation.weight is not None
    return torch.einsum("pck,ock->po", torch.cat(observation.rows), observation.weight)


@pytest.mark.parametrize(
    "options", [{}, {"padding": 1}, {"stride": 2}, {"dilation": 2}, {"kernel_size": (1, 3)}]
)
def test_rows_times_weights_are_the_convolution(options):
    layer = nn.Conv2d(3, 5, **{"kernel_size": 3, "bias": False, **options})
    x = torch.randn(1, 3, 8, 7)
    valid = conv2d(x, layer.weight, None, layer.stride, 0, layer.dilation)
    wanted = valid.detach().flatten(2)[0].T
    assert len(wanted) < PLACES
    torch.testing.assert_close(products(observed(layer, x)), wanted)


def test_rows_times_weights_are_the_linear_layer():
    layer = nn.Linear(4, 6, bias=False)
    x = torch.randn(2, 9, 4)
    found = products(observed(layer, x, axis=2))
    torch.testing.assert_close(found, layer(x).detach().flatten(0, 1))


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (nn.Conv2d(4, 4, 3, groups=4), torch.randn(1, 4, 5, 5)),
        (nn.ConvTranspose2d(4, 2, 2), torch.randn(1, 4, 5, 5)),
        (nn.Conv1d(4, 2, 3), torch.randn(1, 4, 25)),
    ],
)
def test_other_layers_count_every_value_once(layer, x):
    found = products(observed(layer, x))
    torch.testing.assert_close(found, x.flatten(2)[0].T)


def test_many_places_are_thinned_out_evenly():
    layer = nn.Conv2d(1, 1, 1)
    x = torch.arange(64.0 * 64).view(1, 1, 64, 64)
    rows = torch.cat(observed(layer, x).rows).flatten()
    assert PLACES <= len(rows) < 2 * PLACES
    gaps = rows.diff()
    assert rows[0] == 0 and gaps.unique().numel() == 1
    assert rows[-1] + gaps[0] >= 64 * 64


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (2, 5)])
def test_pictures_smaller_than_the_kernel(size):
    layer = nn.Conv2d(2, 3, 3, padding=1, bias=False)
    x = torch.randn(1, 2, *size)
    found = products(observed(layer, x))
    wanted = layer(x).detach().flatten(2)[0].T
    for row in wanted:  # every place of the picture is among those of the continued one
        assert (found - row).abs().sum(1).min() < 1e-5


def test_magnitudes_are_those_of_all_pictures():
    pictures = torch.randn(1, 3, 6, 5), 3 * torch.randn(1, 3, 4, 9), torch.zeros(1, 3, 2, 2)
    observation = observed(nn.Conv2d(3, 3, 1), *pictures)
    wanted = torch.stack([p.abs().amax((0, 2, 3)) for p in pictures]).amax(0)
    assert observation.magnitude is not None
    assert torch.equal(observation.magnitude, wanted)
    sample = observation.sample()
    assert sample.shape == (3, 30 + 36 + 4)
    assert torch.equal(sample[1], torch.cat([p[0, 1].flatten() for p in pictures]))


def test_samples_are_bounded():
    side = 600
    observation = observed(nn.Conv2d(1, 1, 1), torch.rand(1, 1, side, side))
    assert VALUES_PER_CHANNEL <= observation.sample().shape[1] < 2 * VALUES_PER_CHANNEL


def test_activations_that_are_not_finite():
    with pytest.raises(QuantlibError, match="NaN or infinite"):
        observed(nn.Conv2d(1, 1, 1), torch.full((1, 1, 2, 2), torch.nan))


def test_observing_changes_nothing_and_keeps_no_reference():
    x = torch.randn(1, 2, 4, 4)
    before = x.clone()
    observation = observed(nn.Conv2d(2, 2, 1), x)
    assert torch.equal(x, before)
    x.zero_()
    assert torch.equal(observation.sample(), before[0].flatten(1))
