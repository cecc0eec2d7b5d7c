"""The values for Dagster's Helm chart: they fit Dagster's own schemas, and the Job of a run has what a run needs.

The chart is in no package registry, so the few of its templates that turn values into `dagster.yaml` are written again here, from
its sources of 2025. Nothing of this has been tested on a cluster.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from youjun_pipeline import settings
from youjun_pipeline_tests.conftest import CHECKOUT

pytestmark = pytest.mark.scale
pytest.importorskip("dagster_k8s", reason="the extra `scale` is not installed")

VALUES = CHECKOUT / "docs" / "deploy" / "k8s-values.yaml"
MANY = CHECKOUT / "docs" / "deploy" / "dagster-many.yaml"
# What the chart knows at its top (schema/charts/dagster/values.py).
OF_CHART = {
    *("dagsterWebserver", "dagster-user-deployments", "postgresql", "generatePostgresqlPasswordSecret"),
    *("generateCeleryConfigSecret", "rabbitmq", "redis", "flower", "ingress", "imagePullSecrets", "busybox"),
    *("computeLogManager", "scheduler", "runLauncher", "pythonLogs", "dagsterDaemon", "migrate", "telemetry"),
    *("serviceAccount", "global", "retention", "additionalInstanceConfig"),
}


def snake(value: Any) -> Any:
    """Keys of `dagster.yaml` for keys of the chart; keys below Kubernetes' own keys stay as they are."""
    if isinstance(value, dict):
        return {re.sub("([A-Z])", r"_\1", key).lower(): snake(inner) for key, inner in value.items()}
    return value


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return dict(yaml.safe_load(VALUES.read_text(encoding="utf-8")))


def instance_of(values: dict[str, Any]) -> dict[str, Any]:
    """`dagster.yaml` as made by the chart's configmap-instance.yaml."""
    launcher = values["runLauncher"]["config"]["k8sRunLauncher"]
    daemon = values["dagsterDaemon"]
    named = {re.sub("([A-Z])", r"_\1", key).lower(): value for key, value in launcher.items()}
    # the chart turns the names of sources and the first level of runK8sConfig, what is below is Kubernetes' own
    named["env_secrets"] = [s["name"] for s in launcher["envSecrets"]]
    named["env_config_maps"] = [s["name"] for s in launcher["envConfigMaps"]]
    named["run_k8s_config"] = {
        re.sub("([A-Z])", r"_\1", key).lower(): value for key, value in launcher["runK8sConfig"].items()
    }
    queue = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    return {
        "run_launcher": {
            "module": "dagster_k8s",
            "class": "K8sRunLauncher",
            "config": named
            | {
                "job_namespace": "youjun",
                "service_account_name": "youjun-dagster",
                "dagster_home": "/opt/dagster/dagster_home",
                "instance_config_map": "youjun-dagster-instance",
                "postgres_password_secret": values["global"]["postgresqlSecretName"],
            },
        },
        "run_coordinator": {
            "module": "dagster.core.run_coordinator",
            "class": "QueuedRunCoordinator",
            "config": {
                "max_concurrent_runs": queue["maxConcurrentRuns"],
                "tag_concurrency_limits": queue["tagConcurrencyLimits"],
            },
        },
        "run_monitoring": snake(daemon["runMonitoring"]),
        "run_retries": snake(daemon["runRetries"]),
        "retention": {
            name: {"purge_after_days": values["retention"][name]["purgeAfterDays"]}
            for name in ("schedule", "sensor")
        },
        "telemetry": values["telemetry"],
        "python_logs": {"python_log_level": values["pythonLogs"]["pythonLogLevel"]},
    }


def test_the_chart_knows_every_value_at_the_top(values: dict[str, Any]) -> None:
    assert set(values) <= OF_CHART


def test_the_instance_that_comes_of_it_fits_dagsters_schema(values: dict[str, Any], tmp_path: Path) -> None:
    from dagster._core.instance.config import dagster_instance_config

    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(instance_of(values)), encoding="utf-8")
    config, _ = dagster_instance_config(str(tmp_path))
    assert config["run_launcher"]["class"] == "K8sRunLauncher"


def test_queue_and_care_are_those_of_the_other_deployment(values: dict[str, Any]) -> None:
    many = yaml.safe_load(MANY.read_text(encoding="utf-8"))
    made = instance_of(values)
    runs = many["concurrency"]["runs"]
    assert made["run_coordinator"]["config"] == {
        "max_concurrent_runs": runs["max_concurrent_runs"],
        "tag_concurrency_limits": runs["tag_concurrency_limits"],
    }
    assert made["run_retries"]["max_retries"] == many["run_retries"]["max_retries"]
    assert made["run_monitoring"]["poll_interval_seconds"] == many["run_monitoring"]["poll_interval_seconds"]
    assert made["retention"] == many["retention"]


def test_the_job_of_a_run_has_the_image_the_places_and_the_secrets(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rendered by dagster-k8s itself, from the launcher and from what the code location passes on."""
    from dagster._config import process_config
    from dagster_k8s import K8sRunLauncher
    from dagster_k8s.container_context import K8sContainerContext
    from dagster_k8s.job import construct_dagster_k8s_job
    from kubernetes.client import ApiClient

    monkeypatch.setattr("dagster_k8s.launcher.load_kubernetes_config", lambda **_: None)
    found = process_config(K8sRunLauncher.config_type(), instance_of(values)["run_launcher"]["config"])
    assert found.success and found.value, found.errors
    launcher = K8sRunLauncher.from_config_value(None, found.value)
    deployment = values["dagster-user-deployments"]["deployments"][0]
    # the chart hands this to the code location where includeConfigInLaunchedRuns is on
    handed_on = {
        "env_vars": [f"{e['name']}={e['value']}" for e in deployment["env"]],
        "env_secrets": [s["name"] for s in deployment["envSecrets"]],
        "volume_mounts": deployment["volumeMounts"],
        "volumes": deployment["volumes"],
        "image_pull_policy": deployment["image"]["pullPolicy"],
    }
    origin = SimpleNamespace(repository_origin=SimpleNamespace(container_context={"k8s": handed_on}))
    run: Any = SimpleNamespace(job_code_origin=origin, tags={"youjun/shard": "3/16"})
    context = K8sContainerContext.create_for_run(run, launcher, include_run_tags=True)
    image = "{repository}:{tag}".format(**deployment["image"])
    job = construct_dagster_k8s_job(
        context.get_k8s_job_config(job_image=image, run_launcher=launcher),
        args=["dagster", "api", "execute_run"],
        job_name="dagster-run-1",
        user_defined_k8s_config=context.run_k8s_config,
    )
    # as it is sent: names and shapes are those of Kubernetes' own client
    body = ApiClient().sanitize_for_serialization(job)
    spec = body["spec"]
    pod = spec["template"]["spec"]
    container = pod["containers"][0]
    assert (spec["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    assert container["image"] == image
    variables = {e["name"]: e.get("value") for e in container["env"]}
    assert {e["name"]: e["value"] for e in deployment["env"]}.items() <= variables.items()
    assert "DAGSTER_PG_PASSWORD" in variables
    assert {"secretRef": {"name": "youjun-secrets"}} in container["envFrom"]
    assert {m["mountPath"] for m in container["volumeMounts"]} >= {"/data", "/state", "/published"}
    assert {v["name"] for v in pod["volumes"]} >= {m["name"] for m in container["volumeMounts"]}
    assert container["resources"]["limits"] == {"memory": "4Gi"}


def test_the_variables_are_those_that_the_program_knows(values: dict[str, Any], tmp_path: Path) -> None:
    """A misspelt name would be a setting without effect."""
    deployment = values["dagster-user-deployments"]["deployments"][0]
    env = {e["name"]: e["value"] for e in deployment["env"]}
    known = {v for k, v in vars(settings).items() if k.isupper() and isinstance(v, str)}
    assert {name for name in env if name.startswith("YOUJUN_")} <= known
    lake = {"YOUJUN_LAKE": "ducklake:postgres:dbname=lake host=postgres"}
    made = settings.Settings.from_environment(env | lake | {"YOUJUN_DATA": str(tmp_path)})
    assert made.lake and made.lake.data == "s3://lake/youjun/"
    assert settings.Automation.from_environment(env | lake).shards == 16
