"""Everything that spandrel knows and no other file here does."""

from torch import nn

from quantlib.errors import QuantlibError
from quantlib.models.architecture import Architecture, Weights
from quantlib.models.card import SUPER_RESOLUTION
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.sr_network import SizeRule, SRNetwork, require_rgb


def recognises(weights: Weights) -> bool:
    """Whether one of spandrel's architectures has these names."""
    from spandrel import MAIN_REGISTRY, canonicalize_state_dict

    weights = canonicalize_state_dict(dict(weights))
    return any(known.architecture.detect(weights) for known in MAIN_REGISTRY.architectures())


def build(checkpoint: Checkpoint) -> SRNetwork:
    import spandrel

    found = spandrel.ModelLoader().load_from_state_dict(dict(checkpoint.weights))
    architecture = found.architecture.name
    if found.purpose != "SR" or found.scale < 2:
        raise QuantlibError(
            f"{checkpoint.name} is a {architecture} network that does not enlarge pictures "
            f"({found.purpose}, ×{found.scale}); choose a super-resolution network."
        )
    require_rgb(found.input_channels, found.output_channels, checkpoint.name)
    _fold(found.model)
    size = found.size_requirements
    return SRNetwork(
        found.model,
        architecture,
        found.scale,
        window=_window(found.model),
        size_rule=SizeRule(max(size.minimum, 1), size.multiple_of, size.square),
    )


def _window(network: nn.Module) -> int:
    window = getattr(network, "window_size", 1)
    sizes = window if isinstance(window, (tuple, list)) else [window]
    return max((s for s in sizes if isinstance(s, int)), default=1)


def _fold(network: nn.Module) -> None:
    """Puts SPAN's merged 3×3 convolutions in place of the branches they were merged from.

    spandrel's Conv3XC writes its merged weights anew in every forward pass; a network that is
    shared between threads must not change, and the branches are dead weight afterwards.
    """
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if type(child).__name__ == "Conv3XC" and not child.has_relu:
                child.update_params()  # type: ignore[operator]
                setattr(parent, name, child.eval_conv)


ARCHITECTURE = Architecture(
    "spandrel",
    SUPER_RESOLUTION,
    recognises,
    build,
    recognised="the architectures of spandrel",
)
