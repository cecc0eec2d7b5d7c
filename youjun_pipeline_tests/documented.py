"""The SQL printed in the manuals, so that tests and benchmarks run what users copy.

Keep out: shell commands of the manuals.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from youjun_pipeline_tests.conftest import CHECKOUT


def documented_queries(page: str = "bi.md", replaced: Mapping[str, str] | None = None) -> dict[str, str]:
    """The queries of `docs/<page>` by the comment above each; quoted values are replaced as `replaced` says."""
    text = (CHECKOUT / "docs" / page).read_text(encoding="utf-8")
    for named, present in (replaced or {}).items():
        text = text.replace(f"'{named}'", f"'{present}'")
    blocks = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    queries = [query.strip() for block in blocks for query in block.split(";") if query.strip()]
    return {query.splitlines()[0].removeprefix("-- "): query for query in queries}
