"""What the repository as a whole promises."""

import ast
import doctest
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]

TOP_LEVEL = {
    *("app.py", "pages", "quantlib", "assets", "tests"),
    *("requirements.txt", "requirements-dev.txt", "pyproject.toml", "Makefile"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "NOTICE"),
    *(".streamlit", ".ci", ".github", ".gitignore", ".gitattributes"),
    *("Dockerfile", ".dockerignore", "docs", "deploy"),
    *("CITATION.cff", "SECURITY.md", ".pre-commit-config.yaml"),
}
MAX_BYTES = 20 * 1000**2

GONE_OR_UNSAFE = re.compile(
    r"use_container_width|use_column_width|components\.v1|st\.experimental_|st\.bokeh_chart"
    r"|weights_only\s*=\s*False|MAX_IMAGE_PIXELS\s*=\s*None"
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [Path(name) for name in listed.stdout.split("\0") if name]


def python_blocks(page: str) -> list[str]:
    return PYTHON_BLOCK.findall((ROOT / page).read_text("utf-8"))


def first_statement(source: str) -> ast.stmt | None:
    """The first statement that is no docstring, import, function or class."""
    for node in ast.parse(source).body:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.ClassDef():
                continue
            case ast.Expr(value=ast.Constant()):
                continue
        return node
    return None


def test_top_level_holds_what_is_expected():
    assert {path.parts[0] for path in tracked()} <= TOP_LEVEL


def test_commits_are_checked_as_make_check_does():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0][
        "hooks"
    ]
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert recipe is not None
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()]
    assert [hook["entry"] for hook in hooks] == commands


def test_how_to_cite_is_readable():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "title", "message", "authors"} <= citation.keys()
    assert citation["license"] == "Apache-2.0"
    assert all(entry["title"] and entry["year"] for entry in citation["references"])


def test_no_large_files():
    sizes = {path: (ROOT / path).stat().st_size for path in tracked() if (ROOT / path).is_file()}
    assert not {path: size for path, size in sizes.items() if size > MAX_BYTES}


def test_no_call_that_is_gone_or_unsafe():
    found = []
    for path in tracked():
        if path.suffix != ".py" or path.name == Path(__file__).name or not (ROOT / path).exists():
            continue
        for number, line in enumerate((ROOT / path).read_text("utf-8").splitlines(), 1):
            if GONE_OR_UNSAFE.search(line):
                found.append(f"{path}:{number} {line.strip()}")
    assert not found, "\n".join(found)


def test_chart_colours_come_in_tens():
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    for scheme in ("light", "dark"):
        for kind in ("Categorical", "Sequential", "Diverging"):
            assert len(theme[scheme][f"chart{kind}Colors"]) == 10, (scheme, kind)


def test_every_page_starts_with_start_page():
    for page in sorted((ROOT / "pages").glob("*.py")):
        match first_statement(page.read_text("utf-8")):
            case (
                ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)))
                | ast.Assign(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)))
            ) if name == "start_page":
                continue
        pytest.fail(f"{page.name} does not start with start_page(...)")


@pytest.mark.parametrize("page", ["README.md", "docs/library.md"])
def test_python_of_the_docs_runs(page, tmp_path, monkeypatch):
    """All blocks as one program, in a folder that sees the repository's files but not writes there.

    A block with a prompt is run as a doctest.
    """
    for name in {path.parts[0] for path in tracked()}:
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "__docs__"}
    blocks = python_blocks(page)
    assert blocks
    for number, block in enumerate(blocks, 1):
        title = f"{page} python block {number}"
        if ">>> " in block:
            test = doctest.DocTestParser().get_doctest(block, names, title, page, 0)
            flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            doctest.DebugRunner(optionflags=flags).run(test, clear_globs=False)
            names.update(test.globs)
        else:
            exec(compile(block, title, "exec"), names)


def test_links_between_the_pages_lead_somewhere():
    broken = []
    for page in [path for path in tracked() if path.suffix == ".md"]:
        for target in LINK.findall((ROOT / page).read_text("utf-8")):
            if not re.match(r"https?:|#", target):
                file = (ROOT / page).parent / target.partition("#")[0]
                broken += [] if file.exists() else [f"{page}: {target}"]
    assert not broken, "\n".join(broken)
