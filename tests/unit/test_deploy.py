"""deploy/: files that no engine runs here are read, and agree with the server and with each other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import yaml

from agentops import config
from agentops.server.app import create_app

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
OURS = {"app.kubernetes.io/name": "agentops"}
ENV = {setting.env for setting in config.SETTINGS}


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def objects() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for name in documents("kubernetes/kustomization.yaml")[0]["resources"]:
        for one in documents(f"kubernetes/{name}"):
            found.setdefault(one["kind"], []).append(one)
    return found


def pod() -> dict[str, Any]:
    return objects()["Deployment"][0]["spec"]["template"]


def test_every_manifest_is_listed_and_whole() -> None:
    listed = set(documents("kubernetes/kustomization.yaml")[0]["resources"])
    assert listed == {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    kinds = set(objects())
    assert kinds == {
        "Namespace", "Secret", "Deployment", "Service", "Ingress", "HorizontalPodAutoscaler",
        "PodDisruptionBudget", "NetworkPolicy",
    }  # fmt: skip
    for one in (one for several in objects().values() for one in several):
        assert one["apiVersion"]
        assert re.fullmatch(r"[a-z0-9-]+", one["metadata"]["name"])


def test_manifests_name_each_other_rightly() -> None:
    found = objects()
    deployment = found["Deployment"][0]
    assert deployment["spec"]["selector"]["matchLabels"] == OURS
    assert pod()["metadata"]["labels"] == OURS
    service = found["Service"][0]
    assert service["spec"]["selector"] == OURS
    container = pod()["spec"]["containers"][0]
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    assert ports == {"http": config.BY_NAME["port"].default, "grpc": config.BY_NAME["grpc_port"].default}
    assert {one["targetPort"] for one in service["spec"]["ports"]} == set(ports)
    for ingress in found["Ingress"]:
        for rule in ingress["spec"]["rules"]:
            backend = rule["http"]["paths"][0]["backend"]["service"]
            assert backend["name"] == service["metadata"]["name"]
            assert backend["port"]["name"] in ports
            assert rule["host"] in [host for tls in ingress["spec"]["tls"] for host in tls["hosts"]]
    scaled = found["HorizontalPodAutoscaler"][0]["spec"]
    assert scaled["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert "replicas" not in deployment["spec"]
    budget = found["PodDisruptionBudget"][0]["spec"]
    assert budget["minAvailable"] < scaled["minReplicas"]
    assert budget["selector"]["matchLabels"] == OURS
    assert found["NetworkPolicy"][0]["spec"]["podSelector"]["matchLabels"] == OURS
    secret = found["Secret"][0]
    wanted = [one["valueFrom"]["secretKeyRef"] for one in container["env"] if "valueFrom" in one]
    assert {(one["name"], one["key"]) for one in wanted} == {
        (secret["metadata"]["name"], key) for key in secret["stringData"]
    }


def test_pods_are_probed_where_the_server_answers_and_may_do_little() -> None:
    # Nobody scrapes /metrics without a key, and annotations hold none.
    assert "annotations" not in pod()["metadata"]
    container = pod()["spec"]["containers"][0]
    routes = set(create_app(None).openapi()["paths"])
    probes = {name: container[name]["httpGet"] for name in container if name.endswith("Probe")}
    assert {name: one["path"] for name, one in probes.items()} == {
        "startupProbe": "/healthz",
        "readinessProbe": "/readyz",
        "livenessProbe": "/healthz",
    }
    assert {one["path"] for one in probes.values()} <= routes
    assert {one["port"] for one in probes.values()} == {"http"}
    assert pod()["spec"]["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


def test_settings_that_deployments_name_exist() -> None:
    named = set(re.findall(r"\bAGENTOPS_[A-Z_]+\b", "".join(
        path.read_text() for path in DEPLOY.rglob("*") if path.is_file()
    )))  # fmt: skip
    assert {"AGENTOPS_STORE", "AGENTOPS_SECRET"} <= named
    assert named <= ENV


def test_the_compose_file_waits_for_its_store_and_holds_no_secret() -> None:
    (compose,) = documents("compose.yaml")
    services = compose["services"]
    server = services["agentops"]
    assert server["depends_on"]["clickhouse"]["condition"] == "service_healthy"
    assert services["clickhouse"]["healthcheck"]["test"]
    assert (DEPLOY / server["build"]["context"] / server["build"]["dockerfile"]).is_file()
    example = (DEPLOY / "compose.env.example").read_text()
    asked = set(re.findall(r"\$\{(\w+):\?", yaml.safe_dump(compose)))
    assert asked == set(re.findall(r"^(\w+)=$", example, flags=re.MULTILINE))
    named = {volume.split(":")[0] for one in services.values() for volume in one["volumes"]}
    assert named == set(compose["volumes"])


def test_the_image_runs_the_server_as_nobody_in_particular() -> None:
    text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text())
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith(("#", " "))]
    known = {"FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "STOPSIGNAL"}
    assert {name for name, _ in lines} <= known | {"ENTRYPOINT", "CMD"}
    stages = [rest for name, rest in lines if name == "FROM"]
    assert len(stages) == 2
    assert all(re.match(r"python:3\.\d+-slim-\w+", stage) for stage in stages)
    last = lines[len(lines) - next(n for n, line in enumerate(reversed(lines), 1) if line[0] == "FROM") :]
    final = {line[0]: line[1] for line in last}
    assert final["USER"] == f"{pod()['spec']['securityContext']['runAsUser']}:10001"
    assert "/readyz" in final["HEALTHCHECK"]
    assert final["ENTRYPOINT"] == '["agentops"]'
    assert final["CMD"] == '["serve"]'
    assert set(final["EXPOSE"].split()) == {"8420", "4317"}
    # What it copies is there, and what is large or private stays out.
    ignored = (DEPLOY.parent / ".dockerignore").read_text().split()
    assert {".git", ".venv", "**/node_modules"} <= set(ignored)


def test_the_clusters_configuration_is_xml_with_what_the_tables_need() -> None:
    root = ElementTree.parse(DEPLOY / "clickhouse" / "cluster.xml").getroot()
    assert {one.tag for one in cast(Any, root.find("macros"))} == {"shard", "replica"}
    shards = root.findall("remote_servers/main/shard")
    assert len(shards) == 2
    for shard in shards:
        assert shard.findtext("internal_replication") == "true"
        assert len(shard.findall("replica")) == 2
    assert len(root.findall("zookeeper/node")) == 3
