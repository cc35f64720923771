import threading

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from quantlib.errors import QuantlibError
from quantlib.models.architectures.edsr import EDSR
from quantlib.models.architectures.pan import PAN
from quantlib.ptq import SiteNetwork

PICTURE = torch.rand(1, 3, 12, 10, generator=torch.Generator().manual_seed(0))
INNER = ["body.0.body.0", "body.0.body.2", "body.1.body.0", "body.1.body.2", "body.2", "tail.0.0"]


class Tokens(nn.Module):
    """Linear layers on `(N, L, C)`, with a residual added in place."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Linear(3, 6), nn.Linear(6, 5), nn.Linear(5, 6)
        self.last = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.first(x.flatten(2).transpose(1, 2))
        tokens = self.last(tokens + self.third(relu(self.second(tokens))))
        return tokens.transpose(1, 2).view_as(x)


class InPlace(nn.Module):
    """What some architectures do: the residual stream is one tensor that is written to."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c, self.d = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        x += self.b(x)
        x += self.c(x)
        x.relu_()
        return self.d(x)


class Recursive(nn.Module):
    """One layer that is used three times."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = (nn.Conv2d(3, 3, 3, padding=1) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        for _ in range(3):
            x += self.b(x)
        return self.c(x)


def seen_by(sites: SiteNetwork, x: Tensor) -> list[tuple[str, Tensor]]:
    found: list[tuple[str, Tensor]] = []

    def visit(site, a, layer):
        found.append((site.name, a.clone()))
        return a

    sites.run(x, visit)
    return found


def inputs_of(network: nn.Module, x: Tensor, names: list[str]) -> list[tuple[str, Tensor]]:
    """The same by plain hooks on the original, removed again."""
    found: list[tuple[str, Tensor]] = []
    handles = []
    for name in names:

        def note(module: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
            found.append((name, inputs[0].clone()))

        handles.append(network.get_submodule(name).register_forward_pre_hook(note))
    with torch.no_grad():
        network(x)
    for handle in handles:
        handle.remove()
    return found


def test_order_of_execution_without_first_and_last():
    network = EDSR(2, features=4, blocks=2)
    sites = SiteNetwork(network, PICTURE)
    assert [site.name for site in sites.sites] == INNER
    assert [site.layers for site in sites.sites] == [(name,) for name in INNER]
    assert {(site.channels, site.channel_dim) for site in sites.sites} == {(4, 1)}
    after_relu = [site.name for site in sites.sites if site.nonnegative]
    assert after_relu == ["body.0.body.2", "body.1.body.2"]
    assert sites["body.2"] is sites.sites[4]
    whole = SiteNetwork(network, PICTURE, first=True, last=True)
    assert [site.name for site in whole.sites] == ["head.0", *INNER, "tail.1"]
    assert whole.sites[0].channels == 3


def test_what_is_visited_is_what_the_layers_read():
    network = EDSR(2, features=4, blocks=2)
    with torch.no_grad():
        pairs = zip(
            seen_by(SiteNetwork(network, PICTURE), PICTURE),
            inputs_of(network, PICTURE, INNER),
            strict=True,
        )
    for (name, got), (wanted_name, wanted) in pairs:
        assert name == wanted_name
        assert torch.equal(got, wanted)


def test_what_a_visit_returns_replaces_the_input():
    network = EDSR(2, features=4, blocks=2)
    sites = SiteNetwork(network, PICTURE)
    with torch.no_grad():
        doubled = sites.run(PICTURE, lambda site, a, layer: 2 * a if site.name == "body.2" else a)
        x = network.head(PICTURE)
        wanted = network.tail(x + network.body[2](2 * network.body[1](network.body[0](x))))
    assert torch.equal(doubled, wanted)
    assert not torch.equal(doubled, network(PICTURE))


def test_the_visited_layer_is_the_one_that_reads():
    sites = SiteNetwork(EDSR(2, features=4, blocks=2), PICTURE)
    layers = []
    sites.run(PICTURE, lambda site, a, layer: (layers.append(layer), a)[1])
    assert [layer.weight.shape[0] for layer in layers] == [4, 4, 4, 4, 4, 16]


def test_layers_that_read_one_tensor_are_one_site():
    network = PAN(2, features=8, upsampling_features=4, blocks=2)
    sites = SiteNetwork(network, PICTURE)
    assert sites["SCPA_trunk.0.conv1_a"].layers == ("SCPA_trunk.0.conv1_a", "SCPA_trunk.0.conv1_b")
    assert sites["SCPA_trunk.1.PAConv.k3"].layers == (
        "SCPA_trunk.1.PAConv.k3",
        "SCPA_trunk.1.PAConv.k2",
    )
    assert "SCPA_trunk.0.conv1_b" not in {site.name for site in sites.sites}
    named = [name for site in sites.sites for name in site.layers]
    convolutions = [n for n, m in network.named_modules() if isinstance(m, nn.Conv2d)]
    assert sorted(named) == sorted(set(convolutions) - {"conv_first", "conv_last"})

    halved = {}

    def visit(site, a, layer):
        halved[site.name] = halved.get(site.name, 0) + 1
        return a / 2 if site.name == "SCPA_trunk.0.conv1_a" else a

    with torch.no_grad():
        sites.run(PICTURE, visit)
        got = sites.run(PICTURE, visit)
        twin = PAN(2, features=8, upsampling_features=4, blocks=2)
        twin.load_state_dict(network.state_dict())
        for layer in ("conv1_a", "conv1_b"):
            twin.get_parameter(f"SCPA_trunk.0.{layer}.weight").mul_(0.5)
        wanted = twin(PICTURE)
    assert set(halved.values()) == {2}
    torch.testing.assert_close(got, wanted)


def test_linear_layers_have_their_channels_last():
    sites = SiteNetwork(Tokens(), PICTURE)
    found = [(site.name, site.channels, site.channel_dim) for site in sites.sites]
    assert found == [("second", 6, 2), ("third", 5, 2)]
    assert [site.nonnegative for site in sites.sites] == [False, True]


@pytest.mark.parametrize("network", [InPlace(), Recursive()], ids=["in place", "recursive"])
def test_a_tensor_that_is_written_to_is_read_anew(network):
    with torch.no_grad():
        sites = SiteNetwork(network, PICTURE)
        names = [site.name for site in sites.sites]
        assert names == (["b", "c"] if isinstance(network, InPlace) else ["b"])
        got, wanted = seen_by(sites, PICTURE), inputs_of(network, PICTURE, names)
        assert [name for name, _ in got] == [name for name, _ in wanted]
        for (_, a), (_, b) in zip(got, wanted, strict=True):
            assert torch.equal(a, b)
        copied = sites.run(PICTURE, lambda site, a, layer: a.clone())
        assert torch.equal(copied, network(PICTURE))


def test_nonnegative_is_what_the_layer_read_not_what_became_of_it():
    class Late(InPlace):
        def forward(self, x: Tensor) -> Tensor:
            x = self.a(x)
            y = self.b(x)
            x.relu_()
            return self.d(x + y)

    torch.manual_seed(0)
    sites = SiteNetwork(Late(), PICTURE)
    assert seen_by(sites, PICTURE)[0][1].min() < 0
    assert not sites["b"].nonnegative


def test_inside_names_layers_from_a_submodule():
    network = nn.ModuleDict({"network": EDSR(2, features=4, blocks=2)})
    network.forward = lambda x: network["network"](x)  # type: ignore[method-assign]
    sites = SiteNetwork(network["network"], PICTURE, inside="body")
    assert [site.name for site in sites.sites] == ["0.body.2", "1.body.0", "1.body.2"]


def test_the_original_network_stays_as_it_is():
    network = EDSR(2, features=4, blocks=2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    output = network(PICTURE)
    sites = SiteNetwork(network, PICTURE)
    sites.run(PICTURE, lambda site, a, layer: torch.zeros_like(a))
    assert all(not m._forward_pre_hooks and not m._forward_hooks for m in network.modules())
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in before)
    assert torch.equal(network(PICTURE), output)
    own = dict(network.named_parameters())
    assert all(p is own[name] for name, p in sites.network.named_parameters())
    assert not {id(m) for m in network.modules()} & {id(m) for m in sites.network.modules()}
    with torch.no_grad():
        assert torch.equal(sites(PICTURE), output)


def test_a_visit_that_raises_leaves_nothing_behind():
    sites = SiteNetwork(EDSR(2, features=4, blocks=1), PICTURE)

    def stop(site, a, layer):
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        sites.run(PICTURE, stop)
    assert torch.equal(sites(PICTURE), sites.network(PICTURE))


def test_a_network_in_inference_mode():
    with torch.inference_mode():
        example = torch.rand(1, 3, 8, 8)
        sites = SiteNetwork(EDSR(2, features=4, blocks=2), example)
        assert [site.name for site in sites.sites] == INNER
        assert [name for name, _ in seen_by(sites, example)] == INNER


@pytest.mark.parametrize("layers", [1, 2])
def test_a_network_without_inner_layers(layers):
    network = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1) for _ in range(layers)))
    with pytest.raises(QuantlibError, match="no layer between"):
        SiteNetwork(network, PICTURE)


def test_four_threads_on_one_network():
    sites = SiteNetwork(PAN(2, features=8, upsampling_features=4, blocks=1), PICTURE)
    factors = [0.25, 0.5, 2.0, 1.0]

    def visit_with(factor):
        return lambda site, a, layer: a * factor

    with torch.no_grad():
        alone = [sites.run(PICTURE, visit_with(factor)) for factor in factors]
    assert len({float(y.sum()) for y in alone}) == 4
    together: list[list[Tensor]] = [[] for _ in factors]
    barrier = threading.Barrier(len(factors))

    def work(i: int) -> None:
        with torch.no_grad():
            for _ in range(15):
                barrier.wait(timeout=30)
                together[i].append(sites.run(PICTURE, visit_with(factors[i])))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(factors))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    for wanted, found in zip(alone, together, strict=True):
        assert len(found) == 15
        assert all(torch.equal(y, wanted) for y in found)
