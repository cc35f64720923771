"""docs/operations.md says what the code does."""

import pkgutil
import re
import tomllib

import pytest

from quantlib.caches import FOLDERS
from tests.architecture.test_repository import ROOT
from tests.deploy.test_systemd import UNIT, settings

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
LIMIT = re.compile(r"^\| .+ \| ([\d,]+) \| `([\w.]+)` \|$", re.MULTILINE)
READ = re.compile(r"""environ(?:\.get\(|\[)["'](\w+)["']|["'](BITLENS_[A-Z_]+)["']""")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def in_the_code(name: str) -> float:
    place, _, constant = name.rpartition(".")
    if place == "server":
        settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
        return float(str(settings[place][constant]).removesuffix("mb"))
    return float(pkgutil.resolve_name(name))


@pytest.mark.parametrize(("number", "name"), LIMIT.findall(section("Limits")))
def test_a_limit_is_the_one_in_the_code(number, name):
    assert float(number.replace(",", "")) == in_the_code(name)


def test_every_limit_is_compared():
    rows = [line for line in section("Limits").splitlines() if line.startswith("|")][2:]
    assert len(rows) == len(LIMIT.findall(section("Limits"))) > 10


def test_every_variable_that_the_code_reads_is_said():
    sources = [*(ROOT / "quantlib").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    found = {
        name
        for source in sources
        for pair in READ.findall(source.read_text("utf-8"))
        for name in pair
        if name
    }
    assert {"BITLENS_CACHE", "HF_ENDPOINT"} <= found
    said = re.findall(r"`([A-Z_]+)`", section("Variables"))
    assert found | FOLDERS.keys() <= {*said}


def test_the_size_of_the_networks():
    size = sum(path.stat().st_size for path in (ROOT / "assets" / "weights").iterdir())
    assert f"| bundled networks | {size / 1e6:.0f} MB on disk |" in PAGE


def test_the_limit_of_descriptors_is_the_unit_s():
    (limit,) = settings(UNIT)["Service"]["LimitNOFILE"]
    assert f"{int(limit):,}" in section("What to watch")
    assert f"--ulimit nofile={limit}" in section("In a container")
    visits = re.search(r"enough for ([\d,]+)\.", section("What to watch"))
    assert visits and 4 * int(visits[1].replace(",", "")) < int(limit)
