"""What the names of checkpoints end in; known without anything that opens one."""

from pathlib import PurePath

from quantlib.errors import QuantlibError

PICKLES = (".pt", ".pth", ".bin", ".th", ".ckpt")
SUFFIXES = (".safetensors", *PICKLES)
ONNX, PROGRAM = ".onnx", ".pt2"


def require_suffix(name: str) -> str:
    """The ending of a checkpoint's name: one of `SUFFIXES`, or `ONNX`.

    A `QuantlibError` for any other. `torch.export.load` opens programs by unpickling objects out of
    them and by evaluating expressions that they hold, so a program is never opened.

    >>> require_suffix("net.PTH")
    '.pth'
    """
    suffix = PurePath(name).suffix.lower()
    if suffix == PROGRAM:
        raise QuantlibError(
            f"{name} is a program of torch.export, which cannot be opened without running what is "
            "inside it; export the network as ONNX."
        )
    if suffix not in (*SUFFIXES, ONNX):
        raise QuantlibError(
            f"{name} is not a checkpoint; its name must end in {', '.join((*SUFFIXES, ONNX))}."
        )
    return suffix
