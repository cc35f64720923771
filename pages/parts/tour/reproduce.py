"""The Reproduce panel of a stop: lines that give its number again."""

from pages.parts.shared.reproduce import show_code
from pages.parts.super_resolution.reproduce import picture_lines
from pages.parts.tour.scene import Scene
from pages.parts.tour.stop import Lines

_LAYERS = """\
sites = sites_of(network)
layers = {{}}

def keep(site, a, layer):
    return layers.setdefault(site.name, a.clone())

with torch.inference_mode():
    sites.run(to_tensor(low), keep)
values = layers[{site!r}]
plane = values[0, {channel}]
"""


def show_stop_reproduce(scene: Scene, lines: Lines) -> None:
    more, low_and_truth = picture_lines(scene.subject)
    head = "from quantlib.models import load\n" + more + lines.imports
    body = f"\nnetwork = load({scene.network.name!r})\n{low_and_truth}"
    if lines.layers:
        head += (
            "import torch\n"
            "from quantlib.imaging.tensors import to_tensor\n"
            "from quantlib.tasks.super_resolution import sites_of\n"
        )
        body += _LAYERS.format(site=scene.site.name, channel=scene.channel())
    show_code(None, head + body + lines.code)
