"""The weights of a network among everything else that training frameworks put into a file."""

from collections.abc import Mapping

from torch import Tensor

DEEPEST = 8
"""Wrappers inside wrappers; a pickle may also contain itself."""

_WRAPPERS = ("params_ema", "params", "state_dict", "model")


def unwrapped(content: object) -> dict[str, Tensor]:
    """Names and tensors out of the usual wrappers, without the prefix `module.`."""
    for _ in range(DEEPEST):
        if not isinstance(content, Mapping):
            break
        wrapper = next((w for w in _WRAPPERS if isinstance(content.get(w), Mapping)), None)
        if wrapper is None:
            break
        content = content[wrapper]
    if not isinstance(content, Mapping):
        return {}
    return {
        str(name).removeprefix("module."): value.detach()
        for name, value in content.items()
        if isinstance(value, Tensor)
    }
