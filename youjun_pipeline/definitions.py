"""The Definitions object that `workspace.yaml` loads."""

from youjun_pipeline.orchestration.code_location import build_definitions

defs = build_definitions()
