"""The program's hash is the same in every process: otherwise its results would not stand the next night."""

from __future__ import annotations

import os
import subprocess
import sys

from youjun_pipeline_tests.conftest import CHECKOUT


def test_order_of_the_models_does_not_hang_on_the_hash_seed() -> None:
    """Two seeds with which the order once differed, so that a whole night was made again for nothing."""
    script = "from youjun_pipeline.warehouse.models import load_models; print(*load_models())"
    orders = [
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=CHECKOUT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("0", "5")
    ]
    assert len(orders[0]) > 100
    assert orders[0] == orders[1]
