import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from quantlib.errors import QuantlibError
from quantlib.models.files import read_weights
from quantlib.models.suffixes import SUFFIXES


class Malicious:
    """Would create a file if anything executed it."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("wrapper", [None, "params_ema", "params", "state_dict", "model"])
def test_every_suffix_and_wrapper(tmp_path: Path, suffix: str, wrapper: str | None) -> None:
    weights = {"module.a": torch.rand(2, 3), "module.b": torch.arange(4)}
    path = tmp_path / f"file{suffix}"
    if suffix == ".safetensors":
        save_file(weights, path)
    else:
        torch.save({wrapper: weights, "epoch": 7} if wrapper else weights, path)
    read = read_weights(path)
    assert set(read) == {"a", "b"}
    assert torch.equal(read["a"], weights["module.a"])


@pytest.mark.parametrize("new_format", [True, False], ids=["zip", "legacy"])
def test_a_malicious_pickle_is_refused_and_never_runs(tmp_path: Path, new_format: bool) -> None:
    path, trace = tmp_path / "evil.pth", tmp_path / "trace"
    torch.save({"a": Malicious(trace)}, path, _use_new_zipfile_serialization=new_format)
    with pytest.raises(QuantlibError, match=r"asks for \w+\.mkdir beside tensors"):
        read_weights(path)
    assert not trace.exists()


def test_a_bare_malicious_pickle_is_refused(tmp_path: Path) -> None:
    path, trace = tmp_path / "evil.bin", tmp_path / "trace"
    path.write_bytes(pickle.dumps(Malicious(trace), protocol=2))
    with pytest.raises(QuantlibError):
        read_weights(path)
    assert not trace.exists()


def test_without_protection_nothing_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.pth"
    torch.save({"a": torch.zeros(1)}, path)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(QuantlibError, match="unset that variable"):
        read_weights(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kept", [0, 1, 40, 200])
def test_truncated_files(tmp_path: Path, suffix: str, kept: int) -> None:
    whole, path = tmp_path / "whole", tmp_path / f"part{suffix}"
    weights = {"a": torch.rand(64, 64)}
    if suffix == ".safetensors":
        save_file(weights, whole)
    else:
        torch.save(weights, whole)
    path.write_bytes(whole.read_bytes()[:kept])
    with pytest.raises(QuantlibError, match="is not a complete"):
        read_weights(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("text", ["hello, I am a text\n", "<!DOCTYPE html><html></html>"])
def test_text_is_not_a_checkpoint(tmp_path: Path, suffix: str, text: str) -> None:
    path = tmp_path / f"text{suffix}"
    path.write_text(text)
    with pytest.raises(QuantlibError, match="is not a complete"):
        read_weights(path)


def test_a_pointer_of_git_lfs(tmp_path: Path) -> None:
    path = tmp_path / "pointer.safetensors"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(QuantlibError, match="git lfs pull"):
        read_weights(path)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_values_must_be_finite(tmp_path: Path, value: float) -> None:
    path = tmp_path / "nan.safetensors"
    save_file({"good": torch.zeros(2), "bad": torch.tensor([0.0, value])}, path)
    with pytest.raises(QuantlibError, match="in bad that are not finite"):
        read_weights(path)


def test_files_without_weights(tmp_path: Path) -> None:
    for number, content in enumerate([{}, {"epoch": 3}, [torch.zeros(1)], torch.zeros(3)]):
        path = tmp_path / f"{number}.pth"
        torch.save(content, path)
        with pytest.raises(QuantlibError, match="holds no weights"):
            read_weights(path)


def test_missing_and_misnamed_files(tmp_path: Path) -> None:
    with pytest.raises(QuantlibError, match="There is no file"):
        read_weights(tmp_path / "absent.pth")
    with pytest.raises(QuantlibError, match=r"photo\.png is not a checkpoint"):
        read_weights(tmp_path / "photo.png")


@pytest.mark.parametrize("name", ["model", "state_dict", "params"])
def test_a_checkpoint_that_contains_itself_ends(tmp_path: Path, name: str) -> None:
    path, content = tmp_path / "ring.pth", {}
    content[name] = content
    torch.save(content, path)
    assert path.stat().st_size < 2000
    with pytest.raises(QuantlibError, match=r"ring\.pth holds no weights"):
        read_weights(path)
