"""A Space in a real browser: the app in a frame of the Hub's page, which is another site."""

from playwright.sync_api import Browser, expect

from pages.parts.server.space import HUB
from tests.browser.server import ROOT, serve

PLACE = f"{HUB}/spaces/me/bitlens"


def test_a_file_is_uploaded_inside_the_page_of_the_hub(browser: Browser):
    app = ROOT / "tests/browser/apps/upload_app.py"
    with serve(app, SPACE_HOST="localhost") as server, browser.new_context() as context:
        address = server.url.replace("127.0.0.1", "localhost")  # a host that needs no https
        body = f'<!doctype html><iframe src="{address}" width="800" height="600"></iframe>'
        context.grant_permissions(["local-network-access"], origin=HUB)  # of the test's own making
        page = context.new_page()
        page.route(f"{HUB}/**", lambda route: route.fulfill(body=body, content_type="text/html"))
        page.goto(PLACE)
        framed = page.frame_locator("iframe")
        expect(framed.get_by_text("nothing yet")).to_be_visible(timeout=30_000)
        framed.locator("input[type=file]").set_input_files(
            {"name": "five.png", "mimeType": "image/png", "buffer": b"12345"}
        )
        expect(framed.get_by_text("5 bytes")).to_be_visible(timeout=30_000)
        (cookie,) = (one for one in context.cookies(address) if "xsrf" in str(one))
        assert cookie.get("sameSite") == "None" and cookie.get("secure")
        assert cookie.get("partitionKey") == HUB
