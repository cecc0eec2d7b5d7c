"""Dirty files: faulty files as districts send them, in hundreds of variants, and a fuzzer that makes more.

Belongs here: making such files, and the conditions that hold for each of them, whatever its content. `python -m
youjun_pipeline_tests.dirty` (`make dirty`) runs all of them; the tests of the integration tier run a sample. Keep out: districts
without faults (`generate`), and tests.
"""

from youjun_pipeline_tests.dirty.cases import Case, all_cases

__all__ = ["Case", "all_cases"]
