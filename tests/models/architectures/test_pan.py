import pytest
import torch

from quantlib.errors import QuantlibError
from quantlib.models.architectures import pan


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_sizes_are_read_from_the_weights(scale: int) -> None:
    network = pan.PAN(scale, features=12, upsampling_features=6, blocks=3)
    twin = pan.from_state_dict(network.state_dict(), scale=scale)
    x = torch.rand(1, 3, 5, 9)
    assert torch.equal(twin(x), network(x))
    assert twin.scale == scale


def test_two_stages_mean_x4_whatever_the_hint() -> None:
    assert pan.from_state_dict(pan.PAN(4, 8, 4, 1).state_dict(), scale=2).scale == 4
    assert pan.from_state_dict(pan.PAN(2, 8, 4, 1).state_dict(), scale=4).scale == 2


@pytest.mark.parametrize(("scale", "parameters"), [(2, 261_403), (3, 261_403), (4, 272_419)])
def test_parameters_of_the_paper(scale: int, parameters: int) -> None:
    assert sum(p.numel() for p in pan.PAN(scale).parameters()) == parameters


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("blocks", [1, 3])
def test_receptive_radius_is_where_the_gradient_ends(scale: int, blocks: int) -> None:
    network = pan.PAN(scale, 8, 4, blocks).double()
    x = torch.rand(1, 3, 1, 41, dtype=torch.float64, requires_grad=True)
    reached = set()
    for phase in range(scale):
        (gradient,) = torch.autograd.grad(network(x)[0, :, 0, 20 * scale + phase].sum(), x)
        columns = gradient[0].abs().sum((0, 1)).nonzero().flatten() - 20
        reached |= set(columns.abs().tolist())
    assert max(reached) == network.receptive_radius


def test_other_variants_are_refused() -> None:
    weights = pan.PAN(2, 8, 4, 1).state_dict()
    with pytest.raises(QuantlibError, match="balanced attention"):
        pan.from_state_dict({**weights, "att1.ca.fc1.weight": torch.zeros(1)})
    with pytest.raises(QuantlibError, match="2, 3 or 4, not by 8"):
        pan.PAN(8)
