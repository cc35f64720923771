"""A Dockerfile's instructions, its ignore file, and a walk through both in a folder.

No engine is needed: COPY copies, RUN runs in the folder, and ENV, USER and the like are kept.
"""

import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

WORDS = [
    "FROM",
    "ARG",
    "ENV",
    "COPY",
    "RUN",
    "WORKDIR",
    "USER",
    "VOLUME",
    "EXPOSE",
    "HEALTHCHECK",
    "CMD",
]
RECORD = """#!{python}
import json, os, sys
name = os.path.basename(sys.argv[0])
if sys.argv[1:3] == ["-m", "compileall"]:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
with open({record!r}, "a") as record:
    print(json.dumps([name, *sys.argv[1:]]), file=record)
"""


class Instruction(NamedTuple):
    word: str
    rest: str

    def form(self) -> list[str] | None:
        """The words of its JSON form; None where it has none."""
        found = re.search(r"\[.*\]$", self.rest)
        return json.loads(found[0]) if found else None


def instructions(text: str) -> Iterator[Instruction]:
    """One after the other, lines that go on put together."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            if word not in WORDS:
                raise ValueError(f"{word} is no instruction that is walked")
            yield Instruction(word, rest.strip())


def is_ignored(path: PurePosixPath, patterns: Sequence[str]) -> bool:
    """Whether an ignore file keeps `path` out: the last pattern that meets it or a folder of it.

    >>> is_ignored(PurePosixPath("a/b.txt"), ["*", "!a"]), is_ignored(PurePosixPath("c"), ["*"])
    (False, True)
    >>> is_ignored(PurePosixPath("a/x/__pycache__/b.pyc"), ["*", "!a", "**/__pycache__"])
    True
    """
    ignored = False
    for pattern in patterns:
        wanted = pattern.removeprefix("!")
        inner = re.escape(wanted).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        places = [path, *list(path.parents)[:-1]]
        if any(re.fullmatch(inner.replace(r"\?", "[^/]"), str(place)) for place in places):
            ignored = not pattern.startswith("!")
    return ignored


@dataclass
class Image:
    """What a walk left: the files below `root`, and how the container would run."""

    root: Path
    base: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "root"
    volumes: list[str] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    recorded: list[list[str]] = field(default_factory=list)

    @property
    def here(self) -> Path:
        return self.root / self.folder.lstrip("/")


class Walk:
    """Carries a Dockerfile out, from a `context` of files that are tracked and not ignored.

    What needs root or a network (`RECORDED`) is written down instead of done.
    """

    RECORDED = ("pip", "useradd", "install", "python")

    def __init__(self, context: Path, tracked: Sequence[Path], root: Path) -> None:
        self.context, self.image = context, Image(root)
        patterns = [
            line.strip()
            for line in (context / ".dockerignore").read_text("utf-8").splitlines()
            if line.strip() and not line.startswith("#")
        ]
        self.files = [path for path in tracked if not is_ignored(PurePosixPath(path), patterns)]
        self._tools = root.parent / "tools"
        self._record = root.parent / "recorded"
        self._put_tools()

    def walk(self) -> Image:
        for one in instructions((self.context / "Dockerfile").read_text("utf-8")):
            getattr(self, f"_{one.word.lower()}")(one)
        lines = self._record.read_text("utf-8").splitlines() if self._record.exists() else []
        self.image.recorded = [json.loads(line) for line in lines]
        return self.image

    def _put_tools(self) -> None:
        self.image.root.mkdir(parents=True)
        self._tools.mkdir()
        source = RECORD.format(python=sys.executable, record=str(self._record))
        for name in self.RECORDED:
            tool = self._tools / name
            tool.write_text(source)
            tool.chmod(tool.stat().st_mode | stat.S_IXUSR)

    def _from(self, one: Instruction) -> None:
        self.image.base = re.sub(r"\$\{(\w+)\}", lambda m: self.image.arguments[m[1]], one.rest)
        self.image.arguments = {}  # what stands before FROM is unknown after it

    def _arg(self, one: Instruction) -> None:
        name, _, value = one.rest.partition("=")
        self.image.arguments[name] = value

    def _env(self, one: Instruction) -> None:
        for pair in shlex.split(one.rest):
            name, _, value = pair.partition("=")
            self.image.environment[name] = value

    def _workdir(self, one: Instruction) -> None:
        self.image.folder = one.rest
        self.image.here.mkdir(parents=True, exist_ok=True)

    def _copy(self, one: Instruction) -> None:
        *sources, target = one.rest.split()
        for source in sources:
            found = [path for path in self.files if path.is_relative_to(source)]
            if not found:
                raise FileNotFoundError(f"COPY {source}: no tracked file that is not ignored")
            for path in found:
                one_file = path == Path(source)
                place = Path(target) / (path.name if one_file else path.relative_to(source))
                (self.image.here / place).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.context / path, self.image.here / place)

    def _run(self, one: Instruction) -> None:
        known = {**self.image.arguments, **self.image.environment}
        path = os.pathsep.join([str(self._tools), os.environ["PATH"]])
        subprocess.run(
            ["sh", "-euc", one.rest], cwd=self.image.here, env=known | {"PATH": path}, check=True
        )

    def _user(self, one: Instruction) -> None:
        self.image.user = one.rest

    def _volume(self, one: Instruction) -> None:
        self.image.volumes += one.rest.split()

    def _expose(self, one: Instruction) -> None:
        self.image.ports += [int(port) for port in one.rest.split()]

    def _healthcheck(self, one: Instruction) -> None:
        self.image.health = one.form() or []

    def _cmd(self, one: Instruction) -> None:
        self.image.command = one.form() or []
