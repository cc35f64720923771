"""The systemd unit: what it starts is there, it is not root, and little is allowed to it."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from quantlib.caches import VARIABLE
from tests.architecture.test_repository import ROOT
from tests.deploy.dockerfile import instructions

UNIT = (ROOT / "deploy" / "bitlens.service").read_text("utf-8")
PLACE = Path("/opt/bitlens")


def settings(text: str) -> dict[str, dict[str, list[str]]]:
    """Every section's names with the values that each is given, in their order."""
    found: dict[str, dict[str, list[str]]] = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
            found[section] = {}
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found[section].setdefault(name, []).append(value)
    return found


@pytest.fixture(scope="module")
def service() -> dict[str, list[str]]:
    return settings(UNIT)["Service"]


def environment(service: dict[str, list[str]]) -> dict[str, str]:
    pairs = " ".join(service["Environment"]).split()
    return dict(pair.split("=", 1) for pair in pairs)


def test_it_starts_what_the_image_starts_behind_a_proxy(service):
    (command,) = service["ExecStart"]
    program, *words = shlex.split(command)
    assert service["WorkingDirectory"] == [str(PLACE)]
    assert program == str(PLACE / ".venv" / "bin" / "streamlit")
    assert (Path(sys.executable).parent / "streamlit").exists()
    assert words[:2] == ["run", "app.py"] and (ROOT / "app.py").exists()
    (image,) = [
        one.form() for one in instructions((ROOT / "Dockerfile").read_text()) if one.word == "CMD"
    ]
    assert image is not None
    inside = [word.replace("0.0.0.0", "127.0.0.1") for word in image]
    assert inside == ["streamlit", *words]


def test_its_documentation_is_there():
    (address,) = settings(UNIT)["Unit"]["Documentation"]
    assert (ROOT / Path(address.removeprefix("file:")).relative_to(PLACE)).is_file()


def test_it_is_not_root_and_writes_to_its_cache_alone(service):
    assert service["User"] == ["bitlens"] and service["DynamicUser"] == ["yes"]
    assert service["ProtectSystem"] == ["strict"] and "ReadWritePaths" not in service
    (cache,) = service["CacheDirectory"]
    assert environment(service)[VARIABLE] == f"/var/cache/{cache}"
    assert environment(service)["HOME"] == "/nonexistent"


def test_it_has_no_rights_and_what_its_libraries_need(service):
    yes = {name for name, values in service.items() if values == ["yes"]}
    assert yes >= {"NoNewPrivileges", "PrivateDevices", "PrivateTmp", "ProtectHome"}
    assert service["CapabilityBoundingSet"] == [""]
    assert service["RestrictAddressFamilies"] == ["AF_INET AF_INET6 AF_UNIX"]
    for hindering in ("MemoryDenyWriteExecute", "ProcSubset"):
        assert hindering not in service and hindering in UNIT, "left out, and said why"


def test_it_has_bounds(service):
    assert int(service["LimitNOFILE"][0]) >= 4 * 10_000, "four descriptors for every visit"
    assert {"MemoryHigh", "MemoryMax", "TasksMax", "TimeoutStopSec"} <= service.keys()


def test_systemd_finds_no_fault(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    unit = tmp_path / "bitlens.service"
    here = UNIT.replace(str(PLACE / ".venv" / "bin"), str(Path(sys.executable).parent))
    unit.write_text(here.replace(f"={PLACE}", f"={ROOT}"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True
    )
    said = [line for line in done.stderr.splitlines() if "bitlens" in line]
    assert not said


def test_a_unit_with_a_misspelt_option_is_found(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    unit = tmp_path / "bitlens.service"
    unit.write_text(UNIT.replace("ProtectHome=", "ProtectHomes="))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True
    )
    assert "ProtectHomes" in done.stderr
