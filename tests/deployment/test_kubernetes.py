"""The manifests are valid and describe every service as docker-compose.yml does."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from devtools.supervisor.system import SERVICE_GRACE_SECONDS
from services.notifier.delivery.loops.sender import SHUTDOWN_TIMEOUT
from services.serving import SHUTDOWN_GRACE_SECONDS
from shared.base.settings import SERVICES
from shared.messaging.subscriptions import DRAIN_SECONDS
from tests.deployment.compose import containers, env_file
from tests.support import ROOT

K8S = ROOT / "k8s"
MANIFESTS = sorted(file for file in K8S.glob("*.yaml") if file.name != "kustomization.yaml")


def _objects(file: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(file.read_text()) if document]


def _variables(container: dict[str, Any]) -> set[str]:
    """Return the names of variables that the container gets from the config map and the secrets."""
    sources = {}
    for document in _objects(K8S / "configuration.yaml") + _objects(K8S / "secrets.example.yaml"):
        content = document.get("data") or document.get("stringData")
        assert isinstance(content, dict)
        sources[document["kind"], document["metadata"]["name"]] = set(content)
    names: set[str] = set()
    for source in container["envFrom"]:
        if "secretRef" in source:
            names |= sources["Secret", source["secretRef"]["name"]]
        else:
            names |= sources["ConfigMap", source["configMapRef"]["name"]]
    return names


@pytest.mark.parametrize("where", ["compose", "kubernetes"])
async def test_behind_the_proxy_callers_are_distinguished_by_their_own_addresses(where: str) -> None:
    """Otherwise one caller's failed sign-ins lock all others out.  Only the proxy's header is trusted."""
    if where == "compose":
        trusted, proxy = containers(env_file(ROOT / "deploy" / "demo.env"))["control"]["environment"], "172.18.0.5"
    else:
        trusted, proxy = _objects(K8S / "configuration.yaml")[0]["data"], "10.244.1.7"
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    behind: Any = ProxyHeadersMiddleware(app, trusted_hosts=trusted["FORWARDED_ALLOW_IPS"])
    for sender in (proxy, "198.51.100.1"):
        headers = [(b"x-forwarded-for", b"203.0.113.9")]
        await behind({"type": "http", "scheme": "http", "client": (sender, 1), "headers": headers}, None, None)
    assert seen == ["203.0.113.9", "198.51.100.1"]


def test_every_manifest_is_strictly_valid() -> None:
    command = [str(Path(sys.executable).with_name("kubernetes-validate")), "--strict", "--quiet", *map(str, MANIFESTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_everything_but_the_example_of_secrets_is_applied() -> None:
    listed = set(yaml.safe_load((K8S / "kustomization.yaml").read_text())["resources"])
    assert {file.name for file in MANIFESTS} - listed == {"secrets.example.yaml"}
    assert {f"{service}.yaml" for service in SERVICES} <= listed


@pytest.mark.parametrize("service", SERVICES)
def test_a_pod_runs_what_the_container_runs(service: str) -> None:
    composed = containers(env_file(ROOT / "deploy" / "demo.env"))
    deployment = next(document for document in _objects(K8S / f"{service}.yaml") if document["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (migrate,), (serve,) = pod["initContainers"], pod["containers"]
    assert serve["command"] == composed[service]["command"]
    assert migrate["command"] == composed[f"migrate-{service}"]["command"]
    assert _variables(serve) >= set(composed[service]["environment"])
    assert _variables(migrate) == set(composed[f"migrate-{service}"]["environment"])
    assert "OWNER" not in "".join(_variables(serve)), "the owner's password stays with the migration"
    assert serve["readinessProbe"]["httpGet"]["path"] in " ".join(composed[service]["healthcheck"]["test"])


def test_provisioning_gets_every_url() -> None:
    composed = containers(env_file(ROOT / "deploy" / "demo.env"))
    (job,) = _objects(K8S / "provision.yaml")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == composed["provision"]["command"]
    assert _variables(container) >= set(composed["provision"]["environment"])


def test_the_ingress_publishes_every_service_but_not_its_metrics_and_health() -> None:
    ingress = _objects(K8S / "ingress.yaml")[0]
    paths = {path["path"]: path["backend"]["service"]["name"] for path in ingress["spec"]["rules"][0]["http"]["paths"]}
    for service in SERVICES:
        assert paths[f"/api/{service}"] == service
        assert paths[f"/api/{service}/metrics"] == paths[f"/api/{service}/health"] == "nowhere"


def test_the_example_of_secrets_holds_none() -> None:
    for document in _objects(K8S / "secrets.example.yaml"):
        assert not any(document["stringData"].values()), document["metadata"]["name"]


def test_compose_and_kubernetes_wait_as_long_as_a_service_may_need_to_stop() -> None:
    """A kill before would leave letters of unknown outcome."""
    longest = SHUTDOWN_GRACE_SECONDS + max(DRAIN_SECONDS + 2, SHUTDOWN_TIMEOUT) + 5
    assert longest <= SERVICE_GRACE_SECONDS
    found = containers(env_file(ROOT / "deploy" / "demo.env"))
    for service in SERVICES:
        assert longest <= int(found[service]["stop_grace_period"].removesuffix("s"))
        pod = _objects(K8S / f"{service}.yaml")[0]["spec"]["template"]["spec"]
        [before] = [int(container["lifecycle"]["preStop"]["exec"]["command"][1]) for container in pod["containers"]]
        assert before + longest <= pod["terminationGracePeriodSeconds"]
