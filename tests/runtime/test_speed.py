"""What the requirements are about; how fast this machine is does not matter here."""

import torch

from quantlib.models import SRNetwork
from quantlib.models.architectures.pan import PAN
from quantlib.runtime import speed


def test_every_requirement_has_a_figure(monkeypatch):
    for name, value in {"SIDE": 24, "SMALL": 16, "REPEATS": 1, "THREADS": 1}.items():
        monkeypatch.setattr(speed, name, value)
    small = PAN(2, features=8, upsampling_features=8, blocks=1)
    monkeypatch.setattr(speed, "_pan", lambda: SRNetwork(small, "PAN", 2))
    before = torch.get_num_threads()
    found = {one.name: one for one in speed.requirements()}
    assert torch.get_num_threads() == before
    assert len(found) == 3 + 1 + 3 + 3 + 1 + 1
    assert all(one.figure > 0 for one in found.values())
    assert found["ONNX file of W4A4, times smaller than in FP32"].met
    assert found["W4A4 on 16×16, % of codes equal at every layer"].figure > 99
    assert [one.figure > 0 for one in speed.ceilings()] == [True, True]
    assert {one.required for one in found.values()} == {3.5, 2.3, 4.5, 55, 99.9, 2.5, 1.3, 1 / 0.3}
