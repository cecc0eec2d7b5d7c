"""Sensor: districts that a publication leaves behind. Their run succeeds, so no failure notice mentions them.

Belongs here: one notice per change, remembered in the sensor's cursor. Keep out: which districts (`warehouse.held_back`), the
wording (`notify`), runs that failed (`sensors.failure_notice`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import dagster as dg

from youjun_pipeline.notify import Concerned, NotifyError, concern_text, send
from youjun_pipeline.settings import Channels, Settings
from youjun_pipeline.warehouse.held_back import Concern, concerns, turned
from youjun_pipeline.warehouse.published import attached_before, mark_of, open_publication


@dataclass(frozen=True)
class _Told:
    """The cursor: the publication seen last, and the concerns that were sent and still hold."""

    publication: str = ""
    identities: frozenset[str] = frozenset()

    @classmethod
    def load(cls, cursor: str | None) -> _Told:
        if not cursor:
            return cls()
        found = json.loads(cursor)
        return cls(found["publication"], frozenset(found["told"]))

    def dump(self) -> str:
        return json.dumps({"publication": self.publication, "told": sorted(self.identities)})


@dg.sensor(
    name="district_notice",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="发布后通知：因数据问题未更新、文件夹不见了、久未交付或结论变化的区县；同一件事只通知一次",
)
def district_notice(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Look at each publication once and send what was not sent before."""
    told = _Told.load(context.cursor)
    channels = Channels.from_environment()
    # Without a channel nothing counts as sent: once a channel is configured, it gets everything that still holds.
    if not (channels.webhook or channels.smtp_url):
        return dg.SensorResult(skip_reason="没有配置通知渠道", cursor=context.cursor)
    settings = Settings.from_environment()
    place = settings.published, settings.lake_to_read
    publication = mark_of(*place)
    if publication is None:
        return dg.SensorResult(skip_reason=f"还没有发布 {settings.published}", cursor=context.cursor)
    if publication == told.publication:
        return dg.SensorResult(skip_reason="没有新的发布", cursor=context.cursor)
    with open_publication(*place) as con:
        found = concerns(con)
        with attached_before(con, settings.published) as is_there:
            found += turned(con) if is_there else []
    identities = frozenset(c.identity for c in found)
    new = identities - told.identities
    if not new:
        return dg.SensorResult(
            skip_reason=f"没有新的情况（仍有 {len(found)} 处）", cursor=_Told(publication, identities).dump()
        )
    try:
        sent = send(concern_text(_words(found, new)), channels)
    except NotifyError as error:
        # There is no retry in a minute, unlike for failures: the next publication sends the rest.
        context.log.error(f"通知没有送达，下一次发布后再试：{error}")
        kept = _Told(publication, identities & told.identities)
        return dg.SensorResult(skip_reason="通知没有送达", cursor=kept.dump())
    return dg.SensorResult(
        skip_reason=f"已通知：{'、'.join(sent)}", cursor=_Told(publication, identities).dump()
    )


def _words(found: list[Concern], new: frozenset[str]) -> list[Concerned]:
    """One notice per district and reason, with all its phases: an unreadable file concerns all phases that use it."""
    phases: dict[tuple[str, str, str, bool], list[str]] = {}
    for concern in found:
        district = f"{concern.district_code} {concern.district_name}".strip() or "数据文件夹"
        key = (concern.kind, district, concern.message, concern.identity in new)
        phases.setdefault(key, []).append(concern.phase_id)
    return [
        Concerned(kind, f"{district} {'、'.join(ids)}".strip(), message, is_new)
        for (kind, district, message, is_new), ids in phases.items()
    ]
