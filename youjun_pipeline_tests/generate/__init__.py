"""Made-up districts for tests and benchmarks: rows for the oracle, and files as districts deliver them.

Belongs here: deterministic generation from a seed, and writing in the mixed styles of real deliveries.
Keep out: expected results (``youjun_pipeline_tests.oracle``) and anything imported from ``youjun_pipeline``.
"""

from youjun_pipeline_tests.generate.country import generate_country
from youjun_pipeline_tests.generate.district import PROFILES, GeneratedDistrict, generate_district
from youjun_pipeline_tests.generate.files import (
    FORMATS,
    PLAIN,
    Phase,
    Style,
    write_delivery,
    write_district,
)

__all__ = [
    "FORMATS",
    "PLAIN",
    "PROFILES",
    "GeneratedDistrict",
    "Phase",
    "Style",
    "generate_country",
    "generate_district",
    "write_delivery",
    "write_district",
]
