"""`python -m youjun_pipeline_tests.faults.bomb_reader DATA`: read a data folder into a database, and print the result.

It is a process of its own, so that its memory is that of the reading alone and a crash ends only this process.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from youjun_pipeline_tests.steps import places, read_all, working

TOLD = (
    "select 'content' as told, dataset, failure_rule, failure_message from raw.content where failure_rule is not null"
    " union all select 'district', dataset, rule, message from raw.district_failure"
    " union all select 'notice', dataset, '', message from raw.notice"
    " union all select 'folder', '', '', message from raw.district_notice"
)


def main(folder: Path) -> None:
    """Read the folder; prints one line of JSON with the rows and all messages."""
    settings = places(folder)
    with working(settings) as con:
        rows = sum(item.rows_read for item in read_all(con, settings))
        print(json.dumps({"rows": rows, "told": con.execute(TOLD).fetchall()}, ensure_ascii=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
