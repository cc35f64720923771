"""Every screen has a room of its own, and a script that is short enough to read."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ROOT / "pages" / "parts"
SCREENS = sorted((ROOT / "pages").glob("*.py"))
LONGEST = 150  # lines of a script

# What the screens share: each room with the rooms that it may import.
SHARED_ROOMS = {
    "shared": set(),
    "figures": {"shared"},
    "super_resolution": {"shared", "figures"},
    "recognition": {"shared", "figures"},
}
SERVER = "server"  # what stands before Streamlit; only the router knows it


def may_import(room: str) -> set[str]:
    """The rooms that a room, or the script of the screen of that name, may import beside itself."""
    if room == SERVER:
        return {room, "shared"}
    return {room} | SHARED_ROOMS.get(room, set(SHARED_ROOMS))


def imported_rooms(path: Path) -> Iterator[tuple[int, str]]:
    """Line and room of every import of a part in a file; "" for one of `pages` itself."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Import(names=names):
                modules = [alias.name for alias in names]
            case ast.ImportFrom(level=level) if level:
                raise AssertionError(f"{path}:{node.lineno} imports relative to itself")
            case ast.ImportFrom(module=module, names=names):
                modules = [f"{module}.{alias.name}" for alias in names]
            case _:
                continue
        for module in modules:
            match module.split("."):
                case ["pages", "parts", room, *_]:
                    yield node.lineno, room
                case ["pages" | "app", *_]:
                    yield node.lineno, ""


def wrong_arrows(room: str, path: Path) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line} imports {target or 'a screen'}"
        for line, target in imported_rooms(path)
        if target not in may_import(room)
    ]


def test_every_room_belongs_to_a_screen_or_to_all():
    rooms = {path.relative_to(PARTS).parts[0] for path in PARTS.rglob("*.py")}
    assert rooms <= {screen.stem for screen in SCREENS} | SHARED_ROOMS.keys() | {SERVER}


def test_no_room_imports_what_is_above_or_beside_it():
    wrong = []
    for path in sorted(PARTS.rglob("*.py")):
        wrong += wrong_arrows(path.relative_to(PARTS).parts[0], path)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda path: path.stem)
def test_a_screen_uses_its_own_room_and_the_shared_ones(screen: Path):
    wrong = wrong_arrows(screen.stem, screen)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda path: path.stem)
def test_a_screen_is_a_short_script(screen: Path):
    assert len(screen.read_text("utf-8").splitlines()) <= LONGEST


def test_the_router_imports_no_screen_but_what_the_server_starts_with():
    assert {room for _, room in imported_rooms(ROOT / "app.py")} == {SERVER, "workbench"}
    text = (ROOT / "app.py").read_text("utf-8")
    assert "lifespan=giving_back(warming.warmed)" in text and "middleware=GUARDS" in text


@pytest.mark.parametrize(
    ("room", "line", "wrong"),
    [
        ("figures", "from pages.parts.shared.worker import on_worker", 0),
        ("shared", "from pages.parts.figures import charts", 1),
        ("recognition", "import pages.parts.super_resolution.networks", 1),
        ("memory", "from pages.parts.results import dqa", 1),
        ("memory", "from pages.parts import results, memory", 1),
        ("memory", "from pages import results", 1),
        ("memory", "from pages.parts.server import hosts", 1),
        ("server", "from pages.parts.workbench import warming", 1),
    ],
)
def test_a_wrong_arrow_is_found(room: str, line: str, wrong: int, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("tests.architecture.test_rooms.ROOT", tmp_path)
    made = tmp_path / "made.py"
    made.write_text(line)
    assert len(wrong_arrows(room, made)) == wrong
