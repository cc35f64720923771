"""A visitor's own network in a real browser: dropped, seen, kept, and seen by nobody else."""

from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, FilePayload, Page, expect

from pages.parts.super_resolution.own_network import NO_NETWORK, OWN_FILE
from tests.browser.chromium import settle, visit
from tests.models.graphs.building import enlarging

GIGABYTE = 1 << 30
QUERY = urlencode({"network": OWN_FILE, "picture": "Cat", "method": "Direct", "bits": "4"})


def drop(page: Page, file: FilePayload | Path) -> None:
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)


def payload(name: str, content: bytes) -> FilePayload:
    return FilePayload(name=name, mimeType="application/octet-stream", buffer=content)


def test_from_the_file_to_the_result(page: Page, app_url: str, browser: Browser, tmp_path: Path):
    visit(page, f"{app_url}/?{QUERY}")
    alert = page.get_by_test_id("stAlertContentInfo")
    expect(alert).to_contain_text(NO_NETWORK)

    large = tmp_path / "large.safetensors"
    with large.open("wb") as file:
        file.truncate(GIGABYTE)  # takes no room on the disk
    drop(page, large)
    expect(page.get_by_text("File must be 200.0MB or smaller")).to_be_visible()
    expect(alert).to_contain_text(NO_NETWORK)

    drop(page, payload("mine.onnx", enlarging().SerializeToString()))
    what = page.get_by_text("ONNX, ×2, 684 parameters")
    expect(page.get_by_role("heading", name="4-bit direct keeps")).to_be_visible(timeout=60_000)
    expect(what).to_be_visible()
    settle(page)
    assert page.get_by_test_id("stException").count() == 0

    page.get_by_role("link", name="Importance").first.click()
    expect(page.get_by_role("heading", name="Importance", exact=True)).to_be_visible()
    page.go_back()
    expect(what).to_be_visible(timeout=60_000)
    expect(alert).to_have_count(0)

    with browser.new_context() as context:
        other = context.new_page()
        visit(other, f"{app_url}/?{QUERY}")
        expect(other.get_by_test_id("stAlertContentInfo")).to_contain_text(NO_NETWORK)
