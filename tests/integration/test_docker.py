"""What can be checked of docker/ without a container engine: the files' promises, and the entrypoint by itself."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from gaopt.cli import cli
from gaopt.serve.api.system import router
from tests.conftest import ROOT

DOCKER = ROOT / "docker"
ENTRYPOINT = DOCKER / "entrypoint.sh"
STUB = """#!/bin/sh
printf '%s' "$(basename "$0")"
printf ' [%s]' "$@"
printf ' mode=%s usage=%s token=%s\\n' "$RAY_AUTH_MODE" "$RAY_USAGE_STATS_ENABLED" "${RAY_AUTH_TOKEN_PATH:-}"
"""

Result = subprocess.CompletedProcess[str]
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))["services"]
    return loaded


def instructions() -> list[tuple[str, str]]:
    """(instruction, its words) of the Dockerfile, continued lines joined."""
    text = "\n".join(line for line in _text("Dockerfile").splitlines() if not line.lstrip().startswith("#"))
    lines = filter(None, map(str.strip, text.replace("\\\n", " ").splitlines()))
    return [(line.split(None, 1)[0].upper(), line.split(None, 1)[1]) for line in lines]


def _text(name: str) -> str:
    return (DOCKER / name).read_text("utf-8")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The entrypoint with stubs of ray and gaopt on the PATH, each printing how it was called."""
    stubs = tmp_path / "bin"
    stubs.mkdir()
    # The pauses of the waiting loop cost nothing here.
    for name, script in (("ray", STUB), ("gaopt", STUB), ("sleep", "#!/bin/sh\n")):
        (stubs / name).write_text(script)
        (stubs / name).chmod(0o755)

    def call(*words: str, **variables: str) -> Result:
        environment = {"PATH": f"{stubs}:{os.environ['PATH']}", "HOME": str(tmp_path), **variables}
        command = ["sh", str(ENTRYPOINT), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    return call


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / ".ray" / "auth_token"
    path.parent.mkdir()
    path.write_text("secret")
    return path


@pytest.fixture
def head() -> Iterator[str]:
    """The address of something that takes connections, as a head does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def sentence(result: Result, code: int = 2) -> str:
    """The one sentence that a refusal is."""
    assert (result.returncode, result.stdout) == (code, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("entrypoint: ")
    return result.stderr


def test_compose_has_a_head_workers_the_main_job_and_the_service(services: dict[str, dict[str, Any]]) -> None:
    watching = {"prometheus", "grafana"}
    assert set(services) == {"head", "worker", "worker-gpu", "search", "serve"} | watching
    assert services["search"]["command"] == ["run", "--generations", "5", "--pop", "10"]
    assert services["search"]["environment"]["RAY_ADDRESS"] == "head:6379"
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"]
        assert not {"privileged", "network_mode"} & set(service)
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))
        if name in watching:
            continue
        assert service["environment"]["RAY_AUTH_TOKEN_PATH"] == "/run/gaopt/auth_token"
        # Every node sees the results at one path; the head alone writes the token.
        token = "token:/run/gaopt" + ":ro" * (name != "head")
        assert service["volumes"] == ["${GAOPT_VOLUME:-results}:/work/results", token]
        assert service["environment"]["GAOPT_RESULTS"] == "/work/results"
    assert [name for name, service in services.items() if "deploy" in service] == ["worker-gpu"]
    assert services["worker-gpu"]["profiles"] == ["gpu"]
    assert services["search"]["depends_on"]["worker-gpu"]["required"] is False
    assert all(services[name]["profiles"] == ["serve"] for name in ("serve", *watching))
    assert "ports" not in services["prometheus"]  # it asks for no password


def test_prometheus_asks_the_services_of_compose_with_tokens_that_it_can_read(
    services: dict[str, dict[str, Any]],
) -> None:
    ray, gaopt = yaml.safe_load(_text("prometheus.yml"))["scrape_configs"]
    assert ray["http_sd_configs"][0]["url"] == "http://head:8265/api/prometheus/sd"
    assert ray["http_sd_configs"][0]["authorization"]["type"] == "Bearer"
    tokens = [each["authorization"]["credentials_file"] for each in (ray["http_sd_configs"][0], gaopt)]
    assert tokens == [
        services["head"]["environment"]["RAY_AUTH_TOKEN_PATH"],
        services["serve"]["environment"]["GAOPT_SCRAPER"],
    ]
    mounted = [volume.split(":")[-2] for volume in services["prometheus"]["volumes"]]
    assert all(any(token.startswith(folder) for folder in mounted) for token in tokens)
    name, _, port = gaopt["static_configs"][0]["targets"][0].partition(":")
    command = services["serve"]["command"]
    named = [after for option, after in pairwise(command) if option == "--name"]
    assert named == ["127.0.0.1", name]  # the first is in the link; of all hosts the service answers to those on a list
    assert services["serve"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"/api/v1{router.url_path_for('metrics')}" == gaopt["metrics_path"]


def test_grafana_shows_metrics_that_there_are() -> None:
    board = json.loads(_text("grafana/dashboards/gaopt.json"))
    source = yaml.safe_load(_text("grafana/provisioning/datasources/prometheus.yaml"))["datasources"][0]
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked += [each["query"]["query"] for each in board["templating"]["list"]]
    assert {target["datasource"]["uid"] for panel in board["panels"] for target in panel["targets"]} == {source["uid"]}
    ours = set(re.findall(r"\b(?:ray_)?gaopt_\w+", " ".join(asked)))
    assert len(ours) > 5
    for name in ours:
        file = "gaopt/execution/ray/metrics.py" if name.startswith("ray_") else "gaopt/serve/metrics.py"
        base = name.removeprefix("ray_")
        assert any(f'"{each}"' in (ROOT / file).read_text("utf-8") for each in (base, base.removesuffix("_total")))


def test_on_kubernetes_every_node_asks_for_the_token_and_sees_the_results() -> None:
    claim, cluster, service = yaml.safe_load_all(_text("kuberay/cluster.yaml"))
    job = yaml.safe_load(_text("kuberay/job.yaml"))
    spec, name = cluster["spec"], cluster["metadata"]["name"]
    assert spec["authOptions"] == {"mode": "token"}
    assert f"ray=={spec['rayVersion']}\n" in (ROOT / "constraints.txt").read_text("utf-8")
    pods = [group["template"]["spec"] for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"])]
    for pod in (*pods, service["spec"]["template"]["spec"]):
        volumes = {each["name"]: each for each in pod["volumes"]}
        assert volumes["results"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        assert {"name": "results", "mountPath": "/work/results"} in pod["containers"][0]["volumeMounts"]
        assert pod["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    serve = service["spec"]["template"]["spec"]["containers"][0]
    assert serve["env"][0]["valueFrom"]["secretKeyRef"]["name"] == name
    assert serve["command"][-1] == f"{name}-head-svc:6379"
    assert job["spec"]["clusterSelector"] == {"ray.io/cluster": name}
    _, *words = job["spec"]["entrypoint"].split()
    assert cli.commands[words[0]].make_context(words[0], words[1:]).params["name"] == job["metadata"]["name"]


def test_the_image_runs_as_a_user_and_fetches_nothing_but_pinned_packages() -> None:
    assert "ADD" not in [name for name, _ in instructions()]
    assert [words for name, words in instructions() if name == "USER"] == ["$UID"]
    assert ("ARG", "UID=1000") in instructions()
    assert all("curl" not in words and "wget" not in words for name, words in instructions() if name == "RUN")
    assert all("-c constraints.txt" in line for line in re.findall(r"pip install.*", _text("Dockerfile")))


def test_what_the_dockerfile_copies_exists_and_is_let_through() -> None:
    allowed = {line[1:] for line in _text("Dockerfile.dockerignore").splitlines() if line.startswith("!")}
    copies = [words.split() for name, words in instructions() if name == "COPY" and "--from" not in words]
    copied = {word for words in copies for word in words[:-1] if not word.startswith("--")}
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert copied >= {*build["packages"], *build["force-include"]}, "the wheel is built in the image"


def test_the_entrypoint_knows_every_verb_of_the_command(run: Run) -> None:
    for verb in cli.commands:
        result = run(verb, "x")
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith(f"gaopt [{verb}] [x] mode=token usage=0")


def test_the_head_asks_for_a_token_that_only_its_user_can_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "token"
    result = run("head", "--temp-dir=/t", RAY_AUTH_TOKEN_PATH=str(path), RAY_AUTH_MODE="disabled")
    expected = (
        "ray [start] [--head] [--block] [--port=6379] [--num-cpus=0] [--num-gpus=0]"
        f" [--dashboard-host=127.0.0.1] [--dashboard-port=8265] [--temp-dir=/t] mode=token usage=0 token={path}\n"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, expected, "")
    assert re.fullmatch("[0-9a-f]{64}", before := path.read_text())
    path.chmod(0o644)
    assert run("head", RAY_AUTH_TOKEN_PATH=str(path)).returncode == 0
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (before, 0o600)  # kept, and closed to others
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_a_worker_joins_the_head(run: Run, token: Path, head: str) -> None:
    result = run("worker", "--num-gpus=1", RAY_ADDRESS=head, GAOPT_CPUS="2", GAOPT_STORE="900")
    assert result.stdout == (
        f"ray [start] [--address={head}] [--block] [--num-cpus=2] [--object-store-memory=900] [--num-gpus=1]"
        f" mode=token usage=0 token={token}\n"
    )


def test_a_search_joins_the_cluster_as_a_node_without_cpus(run: Run, token: Path, head: str) -> None:
    result = run("run", "--pop", "10", RAY_ADDRESS=head)
    assert result.stderr == (
        f"ray [start] [--address={head}] [--num-cpus=0] [--num-gpus=0] mode=token usage=0 token={token}\n"
    )
    assert result.stdout == f"gaopt [run] [--pop] [10] mode=token usage=0 token={token}\n"


def test_the_service_joins_the_cluster_and_makes_a_token_for_who_reads_its_metrics(
    run: Run, token: Path, head: str, tmp_path: Path
) -> None:
    scraper = tmp_path / "prometheus.token"
    result = run("serve", "--host", "0.0.0.0", RAY_ADDRESS=head, GAOPT_SCRAPER=str(scraper))
    assert result.stdout == (
        f"gaopt [serve] [--address] [{head}] [--host] [0.0.0.0] mode=token usage=0 token={token}\n"
    )
    assert scraper.read_text().startswith("gaopt [token] [add] [prometheus] ")
    assert stat.S_IMODE(scraper.stat().st_mode) == 0o600
    alone = run("serve")
    assert alone.stdout.startswith("gaopt [serve] mode=token")


def test_a_mistake_is_one_sentence(run: Run, head: str) -> None:
    for role, variables, said in (
        ("worker", {"HOME": ""}, "RAY_ADDRESS is not set"),
        ("health", {"HOME": ""}, "neither RAY_AUTH_TOKEN_PATH nor HOME is set"),
        ("worker", {"RAY_ADDRESS": "http://head:6379"}, "RAY_ADDRESS is 'http://head:6379': must be host:port"),
        ("run", {"RAY_ADDRESS": "head:6379", "GAOPT_WAIT": "two"}, "GAOPT_WAIT is 'two': must be a whole number"),
        ("head", {"RAY_AUTH_TOKEN": "secret"}, "put the token into a file"),
    ):
        assert said in sentence(run(role, **variables))
    assert "no token in" in sentence(run("worker", RAY_ADDRESS=head, GAOPT_WAIT="2"), code=1)
