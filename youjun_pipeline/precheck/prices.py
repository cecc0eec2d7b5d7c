"""What is wrong with a district's prices file, and with its figures on the room at its sites.

Keep out: reading and judging the prices (`planning.least_cost.prices`), single cells of `site_capacity` (`findings`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from youjun_pipeline.planning.least_cost.coming_pupils import forecast_fault
from youjun_pipeline.planning.least_cost.held_against import price_faults
from youjun_pipeline.planning.least_cost.prices import (
    PricesError,
    place_in,
    prices_file,
    pupils_fault,
    read_prices,
)
from youjun_pipeline.precheck.findings import ERROR, WARNING, Columns, Finding

if TYPE_CHECKING:
    import duckdb

TITLE = "单价文件有误，不能编制最省方案"
CAPACITY = "校址容量与已填报的数据不符"

# The room at a site must not be less than the reported figure, and what may leave the site not more.
_AGAINST = """
    with chosen as (
        from temp.run_chosen_file
        where phase_id = (select phase_id from temp.run_evaluation order by phase_order desc limit 1)
    ), capacity as (
        select a.*, f.delivery, f.file from chosen f join accepted.site_capacity a using (content_sha256)
        where f.dataset = 'site_capacity'
    ), class_count as (
        select a.school_code, a.campus, count(*) as there from chosen f join accepted.classes a using (content_sha256)
        where f.dataset = 'classes' group by all
    ), equipment as (
        select a.school_code, a.campus, sum(a.equipment_value_wan) as there
        from chosen f join accepted.facilities a using (content_sha256) where f.dataset = 'facilities' group by all
    )
    select delivery, file, sheet, row_number, 'design_classes' as column_name, school_code,
        format('设计规模 {} 班，名册中已有 {} 班；请核对，确已超出的不再安排增班', design_classes, there) as told
    from capacity c join class_count k using (school_code)
    where design_classes < there and c.campus is not distinct from k.campus
    union all
    select delivery, file, sheet, row_number, 'movable_equipment_wan', school_code,
        format('可调出 {:.10g} 万元，多于填报的设备值 {:.10g} 万元；请改为不超过现有设备值', movable_equipment_wan, there)
    from capacity c join equipment e using (school_code)
    where movable_equipment_wan > there and c.campus is not distinct from e.campus
    order by all
"""


def price_findings(con: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[Finding]:
    """Every fault of the prices in `folder`, and what in them does not fit the newest roster."""
    path = prices_file(folder) if folder.is_dir() else None
    if path is None:
        return
    try:
        prices = read_prices(folder)
    except PricesError as error:
        for line in str(error).splitlines():
            yield Finding(ERROR, "", "prices", TITLE, f"{path.name}：{line.removeprefix(f'{path}：')}")
        return
    newest = con.execute(
        "select district_code, phase_id from temp.run_evaluation order by phase_order desc limit 1"
    ).fetchall()
    if newest and prices is not None:
        code, phase = newest[0]
        for place, told in price_faults(con, code, phase, prices):
            yield Finding(ERROR, "", "prices", TITLE, f"{path.name}：{place_in(folder, place)}：{told}")
        year = prices.pupils_of
        if year is not None and (fault := forecast_fault(con, code, phase, year)):
            told = pupils_fault(folder, year, fault).removeprefix(f"{path}：")
            yield Finding(ERROR, "", "prices", TITLE, f"{path.name}：{told}")


def capacity_findings(con: duckdb.DuckDBPyConnection, columns: Mapping[str, Columns]) -> Iterator[Finding]:
    """Impossible statements of `site_capacity`, each at its cell."""
    for delivery, file, sheet, row, column, school, told in con.execute(_AGAINST).fetchall():
        key = f"{delivery}/{file}"
        if key in columns:
            cell = columns[key].cell(sheet, row, column)
            yield Finding(WARNING, key, "capacity_fits", CAPACITY, f"{school}：{told}", (cell,))
