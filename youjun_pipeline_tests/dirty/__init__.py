"""Dirty files: what districts send that is wrong, made in hundreds of variants, and a fuzzer that makes more.

Belongs here: making such files, and what must hold for each of them whatever it says. `python -m youjun_pipeline_tests.dirty`
(`make dirty`) runs them all; the tests of the integration tier run a sample. Keep out: districts that are in order
(`generate`), and tests.
"""

from youjun_pipeline_tests.dirty.cases import Case, all_cases

__all__ = ["Case", "all_cases"]
