"""The rooms of the repository and the imports between them, drawn into docs/architecture.md.

`python -m tests.architecture.arrows` (`make docs`) draws them anew.
"""

from collections.abc import Iterator, Mapping

from tests.architecture.imports import ROOT, imports_of

PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- drawn from the code: begin -->", "<!-- drawn from the code: end -->"

Arrows = Mapping[str, set[str]]


def room_of(module: str) -> str | None:
    """The folder that a module belongs to, as the page names it.

    >>> room_of("quantlib.ptq.methods"), room_of("pages.parts.memory.frontier"), room_of("torch")
    ('quantlib/ptq', 'pages/parts/memory', None)
    """
    match module.split("."):
        case ["quantlib", room, *_] if (ROOT / "quantlib" / room).is_dir():
            return f"quantlib/{room}"
        case ["pages", "parts", room, *_]:
            return f"pages/parts/{room}"
        case ["pages", *_]:
            return "pages"
    return None


def arrows() -> Arrows:
    """Every room with the rooms that it imports."""
    found: dict[str, set[str]] = {}
    for folder in ("quantlib", "pages"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            room = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
            if room:
                targets = {room_of(name) for _, name in imports_of(path)}
                found.setdefault(room, set()).update(t for t in targets if t and t != room)
    return found


def reachable(graph: Arrows, start: str) -> set[str]:
    """Every room that `start` leads to, over any number of arrows."""
    seen: set[str] = set()
    to_do = [start]
    while to_do:
        for target in graph.get(to_do.pop(), ()):
            if target not in seen:
                seen.add(target)
                to_do.append(target)
    return seen


def direct(graph: Arrows) -> Iterator[tuple[str, str]]:
    """The arrows that do not follow from others."""
    for room, targets in sorted(graph.items()):
        for target in sorted(targets):
            if not any(target in reachable(graph, other) for other in targets - {target}):
                yield room, target


def diagram(graph: Arrows) -> str:
    """A Mermaid chart of the direct arrows, and a table of all of them."""
    lines = ["```mermaid", "graph TD"]
    lines += [f"    {_node(room)} --> {_node(target)}" for room, target in direct(graph)]
    lines += ["```", "", "| Room | imports |", "| --- | --- |"]
    lines += [
        f"| `{room}` | {', '.join(f'`{target}`' for target in sorted(targets)) or 'nothing'} |"
        for room, targets in sorted(graph.items())
    ]
    return "\n".join(lines)


def _node(room: str) -> str:
    return f'{room.replace("/", "_")}["{room}"]'


def drawn(text: str) -> str:
    """`text` with the part between the marks drawn anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{diagram(arrows())}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text("utf-8")), "utf-8")
