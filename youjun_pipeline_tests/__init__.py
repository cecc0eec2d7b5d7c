"""Tests of youjun_pipeline, in three tiers by folder: unit, integration, pipeline; `conftest.py` guards them."""
