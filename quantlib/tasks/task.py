"""The shelf of tasks: what a network can be asked to do, and what all others need to know of it.

A task is added by an entry in `TASKS`; nobody outside asks for one by its name. Entries cost
nothing: the code behind one is imported when it is first needed.
"""

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from quantlib.tasks.bench import Code


class Task(NamedTuple):
    """One task. What `module` calls `CODE` carries it out.

    `measure` says in words what is measured, `unit` what its figures are in and `figure` what they
    are called in JSON. `verb` is the command line's, which `summary` explains; there `data` says
    what is measured on, a folder or one of the data sets `named`. Where nobody says otherwise,
    `calibration` training pictures are looked at and `batch` pictures share a pass; there is no
    `batch` where every picture has a pass of its own.
    """

    name: str
    module: str
    measure: str
    unit: str
    figure: str
    verb: str
    summary: str
    examples: tuple[str, ...] = ()
    data: str = ""
    named: tuple[str, ...] = ()
    calibration: int = 0
    batch: int = 0

    @property
    def code(self) -> "Code":
        """How each step is done."""
        return import_module(self.module).CODE


SUPER_RESOLUTION = Task(
    "super-resolution",
    "quantlib.tasks.benchmark",
    measure="PSNR on Y",
    unit="dB PSNR (Y)",
    figure="psnr_y",
    verb="evaluate",
    summary="Measure PSNR, SSIM and bytes on pictures whose truth is known.",
    examples=(
        "--model builtin:edsr-x2 --sample cat --scale 2 --method dqa --bits 3",
        "--model builtin:edsr-x2 --hr HR --lr LR --scale 2 --json",
    ),
)
CLASSIFICATION = Task(
    "classification",
    "quantlib.tasks.classification",
    measure="Top-1 accuracy",
    unit="% top-1",
    figure="accuracy",
    verb="classify",
    summary="Measure top-1 accuracy and bytes of a classifier on labelled pictures.",
    examples=(
        "--model builtin:resnet-digits --data digits --method dqa --bits 3",
        "--model resnet32.th --data cifar10 --limit 1000 --method direct --json",
    ),
    data="digits (scikit-learn's), cifar10 (from the Hub), or a folder with CIFAR-10",
    named=("digits", "cifar10"),
    calibration=250,
    batch=1000,
)
SEGMENTATION = Task(
    "segmentation",
    "quantlib.tasks.segmentation",
    measure="Mean IoU over the classes",
    unit="% mean IoU",
    figure="mean_iou",
    verb="segment",
    summary="Measure mean IoU and bytes of a segmentation network on annotated pictures.",
    examples=(
        "--model builtin:unet-camvid --data camvid --method dqa --bits 3",
        "--model builtin:unet-camvid --data camvid --limit 5 --json",
    ),
    data="CamVid's folder: test, testannot, train and trainannot",
    calibration=8,
)

TASKS: dict[str, Task] = {
    task.name: task for task in (SUPER_RESOLUTION, CLASSIFICATION, SEGMENTATION)
}
