"""What stands in `deploy/` for machines that are not here: read, and held against the rest."""

import ast
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from quantlib.caches import VARIABLE
from tests.architecture.imports import ROOT
from tests.deploy.dockerfile import instructions

DEPLOY = ROOT / "deploy"
DASK = next(
    Requirement(one)
    for one in tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]["cluster"]
)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def kubernetes() -> dict[tuple[str, str], dict[str, Any]]:
    made = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text("utf-8"))
    return {(one["kind"], one["metadata"]["name"]): one for one in made}


def cache_of_the_image() -> str:
    found = instructions((ROOT / "Dockerfile").read_text("utf-8"))
    (volume,) = [one.rest for one in found if one.word == "VOLUME"]
    return volume


def test_the_proxy_of_compose_stands_before_every_app_and_is_all_that_is_seen(compose):
    services = compose["services"]
    apps = {name for name in services if name.startswith("app")}
    site = (DEPLOY / "nginx.conf").read_text("utf-8")
    assert {name for name in apps if f"server {name}:8501" in site} == apps
    assert site.count(":8501 ") == len(apps) >= 2
    assert set(services["proxy"]["depends_on"]) == apps
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]
    (port,) = services["proxy"]["ports"]
    assert f"listen {port.split(':')[-1]};" in site and port.startswith("127.0.0.1:")
    (mounted,) = services["proxy"]["volumes"]
    assert (DEPLOY / mounted.split(":")[0]).samefile(DEPLOY / "nginx.conf")


def test_all_of_compose_share_one_cache_and_may_write_nothing_else(compose):
    services = compose["services"]
    for name in ("app1", "app2", "worker"):
        assert f"cache:{cache_of_the_image()}" in services[name]["volumes"]
    assert "cache" in compose["volumes"]
    for name, service in services.items():
        if name != "proxy":
            assert service["read_only"] and service["cap_drop"] == ["ALL"]
            assert (DEPLOY / service["build"]["context"] / "Dockerfile").exists()


def test_workers_of_compose_find_their_scheduler(compose):
    services = compose["services"]
    scheduler, worker = (services[name]["command"] for name in ("scheduler", "worker"))
    port = scheduler[scheduler.index("--port") + 1]
    assert scheduler[:2] == ["dask", "scheduler"] and worker[:2] == ["dask", "worker"]
    assert worker[2] == f"tcp://scheduler:{port}"
    assert Requirement(services["worker"]["build"]["args"]["CLUSTER"]) == DASK


def test_kubernetes_pods_are_found_by_their_labels(kubernetes):
    service = kubernetes["Service", "bitlens-scheduler"]["spec"]
    for part in ("scheduler", "worker"):
        deployment = kubernetes["Deployment", f"bitlens-{part}"]["spec"]
        labels = deployment["template"]["metadata"]["labels"]
        assert deployment["selector"]["matchLabels"] == labels
        assert (service["selector"] == labels) == (part == "scheduler")


def test_kubernetes_workers_find_scheduler_and_cache(kubernetes):
    pod = kubernetes["Deployment", "bitlens-worker"]["spec"]["template"]["spec"]
    (worker,) = pod["containers"]
    (port,) = kubernetes["Service", "bitlens-scheduler"]["spec"]["ports"]
    assert worker["command"][2] == f"tcp://bitlens-scheduler:{port['port']}"
    (mount,), (volume,) = worker["volumeMounts"], pod["volumes"]
    assert mount["name"] == volume["name"] and mount["mountPath"] == cache_of_the_image()
    claim = kubernetes["PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert worker["securityContext"]["runAsNonRoot"]


@pytest.mark.parametrize("part", ["scheduler", "worker"])
def test_words_that_dask_is_started_with_are_its_own(compose, kubernetes, part):
    from distributed.cli import dask_scheduler, dask_worker

    options = {"scheduler": dask_scheduler, "worker": dask_worker}[part].main.params
    known = {word for one in options for word in (*one.opts, *one.secondary_opts)}
    (pod,) = kubernetes["Deployment", f"bitlens-{part}"]["spec"]["template"]["spec"]["containers"]
    for words in (compose["services"][part]["command"], pod["command"]):
        assert {word for word in words if word.startswith("--")} <= known


def test_the_slurm_example_runs_with_what_it_is_given(monkeypatch, capsys):
    """dask-jobqueue's own class is not here; its parameters stand in its documentation."""
    asked: dict[str, Any] = {}

    class SLURMCluster:
        scheduler_address = "tcp://10.0.0.5:8786"

        def __init__(
            self,
            *,
            queue: str | None = None,
            account: str | None = None,
            cores: int,
            processes: int,
            memory: str,
            walltime: str,
            local_directory: str,
            job_script_prologue: list[str],
            worker_extra_args: list[str],
        ) -> None:
            asked.update(cores=cores, processes=processes, queue=queue, extra=worker_extra_args)

        def adapt(self, *, minimum_jobs: int, maximum_jobs: int) -> None:
            asked["jobs"] = maximum_jobs

        def close(self) -> None:
            asked["closed"] = True

    jobqueue = ModuleType("dask_jobqueue")
    jobqueue.SLURMCluster = SLURMCluster  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dask_jobqueue", jobqueue)
    monkeypatch.setattr("signal.sigwait", lambda signals: None)
    monkeypatch.setattr(sys, "argv", ["slurm.py", "--jobs", "7", "--queue", "short"])
    source = (DEPLOY / "slurm.py").read_text("utf-8")
    ast.parse(source, feature_version=(3, 11))
    exec(compile(source, "slurm.py", "exec"), {"__name__": "__main__", "__doc__": "Slurm"})
    assert capsys.readouterr().out == "--scheduler tcp://10.0.0.5:8786\n"
    assert asked["jobs"] == 7 and asked["queue"] == "short" and asked["closed"]
    assert asked["cores"] == asked["processes"], "a unit computes on one thread"
    from distributed.cli import dask_worker

    known = {word for one in dask_worker.main.params for word in one.opts}
    assert {word for word in asked["extra"] if word.startswith("--")} <= known


def test_the_cache_variable_is_the_one_that_is_read():
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert f"{VARIABLE}={cache_of_the_image()}" in text
    assert Path(cache_of_the_image()).is_absolute()
