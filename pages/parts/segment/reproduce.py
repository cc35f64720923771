"""The Reproduce lines of the page for segmenters."""

from pages.parts.recognition.networks import Recogniser
from pages.parts.segment.scene import AREA, Scene
from pages.parts.segment.segmenting import CALIBRATION_SIDE, calibration_keys
from pages.parts.shared.samples import UPLOAD
from quantlib.ptq import Settings


def python_lines(
    scene: Scene, network: Recogniser, settings: Settings, classes: tuple[str, ...]
) -> str:
    own = scene.source == UPLOAD
    read = f"read_picture_file({scene.title!r})" if own else f"load_sample({scene.source!r})"
    reading = "from quantlib.imaging.files import read_picture_file\n" if own else ""
    return (
        "import numpy as np\n\n"
        "from quantlib.tasks.segmentation import labelled_by, segment\n"
        f"{reading}"
        "from quantlib.imaging.resizing import fit_area\n"
        "from quantlib.imaging.samples import load_sample\n"
        "from quantlib.models.segmenter import load_segmenter\n"
        "from quantlib.ptq import Settings\n\n"
        f"settings = {settings!r}\n"
        f"classes = {classes!r}\n"
        f"segmenter = load_segmenter({network.name!r})\n"
        f"picture = fit_area({read}.rgb, {AREA})\n"
        f"keys = {calibration_keys(scene)!r}\n"
        f"crops = np.stack([load_sample(key, {CALIBRATION_SIDE}).rgb for key in keys])\n"
        "pictures = labelled_by(segmenter, picture[None], classes)\n"
        "calibration = labelled_by(segmenter, crops, classes)\n"
        "result = segment(segmenter, settings, pictures, calibration)\n"
        "print(result.confusion.pixel_accuracy, result.ledger.bits_per_activation)\n"
    )
