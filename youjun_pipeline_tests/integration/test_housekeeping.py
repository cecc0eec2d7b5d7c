"""Pruning: old runs are deleted, the last successful run of every phase stays."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from youjun_pipeline.orchestration.housekeeping import PHASES_OF_RUN, prune


def test_the_last_good_run_of_every_phase_stays(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:

        def run(phases: str, status: dg.DagsterRunStatus = dg.DagsterRunStatus.SUCCESS) -> str:
            made = dg.DagsterRun(job_name="refresh", status=status, tags={PHASES_OF_RUN: phases})
            return instance.add_run(made).run_id

        closed_since = run("2020、2021")
        failed, old = run("2022", dg.DagsterRunStatus.FAILURE), run("2022")
        under_way, last = run("2022", dg.DagsterRunStatus.STARTED), run("2022")
        assert prune(instance, 90) == []
        # everything counts as old a day from now
        assert sorted(prune(instance, -1)) == sorted([failed, old])
        assert {r.run_id for r in instance.get_runs()} == {closed_since, under_way, last}
