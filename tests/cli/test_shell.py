"""Shells as they are: streams that are closed, full, cut off or narrow, and Ctrl-C early on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from quantlib.cli import main
from quantlib.cli.console import SPELLED
from quantlib.imaging.samples import load_sample
from quantlib.models.architectures.edsr import EDSR
from tests.architecture.imports import ROOT
from tests.cli.notes import without_notes

PROGRAM = (sys.executable, "-m", "quantlib")
INTERRUPTING = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""


def run(*words: object, **how) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **how.pop("env", {})}
    return subprocess.run(
        [*PROGRAM, *map(str, words)], cwd=ROOT, env=environment, timeout=280, **how
    )


def shell(command: str) -> subprocess.CompletedProcess[bytes]:
    """`command` in a POSIX shell, where `$P` is the program."""
    line = command.replace("$P", " ".join(PROGRAM))
    return subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, timeout=280)


def one_line(error: bytes) -> bool:
    return error.startswith(b"quantlib: ") and error.count(b"\n") == 1


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    torch.manual_seed(0)
    save_file(EDSR(2, features=4, blocks=1).state_dict(), folder / "net.safetensors")
    Image.fromarray(load_sample("cat", 24).rgb).save(folder / "cat.png")
    return folder


# Starting


def test_help_imports_no_torch_and_costs_little(say):
    listed = "import sys; sys.argv = ['bitlens', '--help']; import atexit, quantlib.__main__ as m; "
    listed += "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); m.start()"
    done = subprocess.run([sys.executable, "-c", listed], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("usage: bitlens ")
    heavy = {"torch", "numpy", "PIL", "scipy", "spandrel", "huggingface_hub", "streamlit"}
    assert not heavy & set(done.stderr.split())

    def least(*words: str) -> float:
        seconds = []
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, check=True)
            seconds.append(time.perf_counter() - started)
        return min(seconds)

    ratio = least("-m", "quantlib", "--help") / least("-c", "import argparse")
    say(f"--help takes {ratio:.2f} × python -c 'import argparse'")


@pytest.mark.parametrize("at", ["quantlib.cli", "numpy", "torch"])
def test_ctrl_c_while_importing(tmp_path, at):
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTING)
    env = {"PYTHONPATH": str(tmp_path), "INTERRUPT_AT": at}
    words = ("upscale", "none.png", "out.png", "--model", "builtin:edsr-x2")
    previous = signal.signal(signal.SIGINT, signal.SIG_DFL)  # a job in the background ignores it
    try:
        done = run(*words, env=env, capture_output=True)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert (done.returncode, done.stdout) == (130, b"")
    assert done.stderr in (b"", b"quantlib: stopped.\n")


# Streams


def test_a_closed_standard_output_is_said():
    done = shell("$P --help >&-")
    assert done.returncode == 2 and one_line(done.stderr)
    assert b"Standard output is closed" in done.stderr


def test_a_closed_standard_error_keeps_standard_output_clean():
    done = shell("$P evalute 2>&-")
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
@pytest.mark.parametrize("words", ["", "--help", "--version"])
def test_a_full_standard_output_is_said(words):
    done = shell(f"$P {words} >/dev/full")
    assert done.returncode == 2 and one_line(done.stderr)
    assert b"cannot be written (No space left on device)" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_a_full_standard_error_changes_no_status():
    done = shell("$P evalute 2>/dev/full")
    assert (done.returncode, done.stdout) == (2, b"")


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_a_reader_that_has_read_enough(words):
    reading, writing = os.pipe()
    os.close(reading)
    done = run(*words, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_signs_and_names_that_the_encoding_lacks(files, tmp_path):
    out = os.fsencode(tmp_path) + b"/\xff\xe9.png"
    narrow = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    words = [b"upscale", os.fsencode(files / "cat.png"), out, b"--model"]
    done = subprocess.run(
        [*map(os.fsencode, PROGRAM), *words, os.fsencode(files / "net.safetensors")],
        cwd=ROOT,
        env={**os.environ, **narrow},
        capture_output=True,
        timeout=280,
    )
    assert (done.returncode, without_notes(done.stderr.decode())) == (0, "")
    assert done.stdout.startswith(out + b": ")
    assert os.listdir(os.fsencode(tmp_path)) == [b"\xff\xe9.png"]


def test_every_sign_that_is_spelled_is_plain():
    assert all(spelled.isascii() for spelled in SPELLED.values())


def test_a_picture_through_standard_input_and_output(files, tmp_path):
    words = ("--model", files / "net.safetensors")
    piped = run("upscale", "-", "-", *words, input=(files / "cat.png").read_bytes(),
                capture_output=True)  # fmt: skip
    assert piped.returncode == 0
    assert without_notes(piped.stderr.decode()).count("\n") == 1
    assert b"bytes of activations" in piped.stderr
    assert main([*map(str, ("upscale", files / "cat.png", tmp_path / "out.png", *words))]) == 0
    assert piped.stdout == (tmp_path / "out.png").read_bytes()
