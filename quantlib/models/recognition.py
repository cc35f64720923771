"""From a checkpoint to the network that it belongs to, by asking along the shelf."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from quantlib.errors import QuantlibError
from quantlib.models.allocation import Bounded, ClaimError
from quantlib.models.architecture import Architecture
from quantlib.models.architectures import architectures, recognised
from quantlib.models.checkpoint import Checkpoint, shown
from quantlib.models.normalised import Normalised
from quantlib.models.sr_network import SRNetwork
from quantlib.models.unwrapping import forms


def recognise(checkpoint: Checkpoint, task: str) -> SRNetwork | Normalised:
    """The network for `task` that the names and shapes in a checkpoint belong to.

    The families that recognise it, with or without prefixes of its names, are asked in turn, the
    most specific first, until one can build it. Where none can, the first one's reason is the
    `QuantlibError`.
    """
    refusals: list[QuantlibError] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # spandrel's architectures use older forms of PyTorch
        named = list(forms(checkpoint.weights))
        held = sum(value.numel() for value in checkpoint.weights.values())
        for architecture in architectures(task):
            weights = next((form for form in named if architecture.recognises(form)), None)
            if weights is None:
                continue
            try:
                with explained(checkpoint.name, task):
                    _require_bits_to_matter(checkpoint, architecture)
                    with Bounded(held, len(checkpoint.weights)):
                        network = architecture.build(replace(checkpoint, weights=weights))
                    architecture.verify(network, checkpoint.name)
                    return network
            except QuantlibError as refusal:
                refusals.append(refusal)
    if refusals:
        raise refusals[0]
    raise QuantlibError(
        f"{checkpoint.name} is no {task} network that is recognised; {_recognised(task)}."
    )


def _require_bits_to_matter(checkpoint: Checkpoint, architecture: Architecture) -> None:
    if checkpoint.bits and not architecture.takes_bits:
        raise QuantlibError(
            f"{checkpoint.name} holds {architecture.name} weights, which need no bits to be told; "
            "leave ?bits= out."
        )


@contextmanager
def explained(file: str, task: str) -> Iterator[None]:
    """Turns what goes wrong while a network is made of the weights in `file` into one sentence.

    >>> with explained("net.pth", "segmentation"):
    ...     _ = {}["conv.weight"]
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: net.pth lacks conv.weight; choose a complete checkpoint.
    """
    try:
        yield
    except QuantlibError:
        raise
    except ClaimError as error:
        raise QuantlibError(
            f"The weights in {file} are those of a larger network than it holds; choose a "
            "complete checkpoint."
        ) from error
    except Exception as error:  # hyper-parameters that do not fit surface as any kind of error
        missing = missing_names(error) or (
            [one for one in error.args if isinstance(one, str)]
            if isinstance(error, KeyError)
            else []
        )
        if missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            some = ", ".join(shown(name) for name in missing[:3])
            raise QuantlibError(
                f"{file} lacks {some}{more}; choose a complete checkpoint."
            ) from error
        raise QuantlibError(
            f"The weights in {file} do not fit together; {_recognised(task)}."
        ) from error


def missing_names(error: Exception) -> list[str]:
    """The parameters that `Module.load_state_dict` reports as missing in its error.

    >>> import torch
    >>> try:
    ...     _ = torch.nn.Linear(1, 1).load_state_dict({"bias": torch.zeros(1)})
    ... except RuntimeError as error:
    ...     missing_names(error)
    ['weight']
    """
    lines = [line for line in str(error).splitlines() if "Missing key(s)" in line]
    return re.findall(r'"([^"]+)"', " ".join(lines))


def _recognised(task: str) -> str:
    return f"recognised {'are' if len(architectures(task)) > 1 else 'is'} {recognised(task)}"
