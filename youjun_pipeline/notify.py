"""Telling a person that something failed: by webhook and by e-mail, whichever is configured.

Belongs here: the channels and the wording. Keep out: when to tell (`orchestration.sensors`), and any orchestrator. What a channel
address holds besides its host (token, password) never leaves this module, not in an error either.
"""

from __future__ import annotations

import json
import smtplib
import ssl
import urllib.request
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from youjun_pipeline.settings import NOTIFY_MAIL_TO, NOTIFY_SMTP_URL, NOTIFY_WEBHOOK, Channels

TIMEOUT_SECONDS = 20
LONGEST_REASON = 1500


class NotifyError(RuntimeError):
    """A channel that did not take the notice; the message names the channel's variable and host, nothing secret."""


@dataclass(frozen=True)
class Failed:
    """One failed step and why, in the words of whoever raised it."""

    step: str
    reason: str


def failure_text(run_id: str, started_by: str, failed: list[Failed], *, published: bool) -> str:
    """The notice of a failed refresh, in Chinese: what failed, why, what stands, what to do."""
    stands = "发布库已更新，其后的步骤失败" if published else "上一次发布保持不变"
    steps = failed or [Failed("（未进入任何步骤）", "原因见 Dagster 运行日志")]
    lines = ["优均：刷新失败", f"运行 {run_id}（{started_by}）；{stands}"]
    for step in steps:
        reason = step.reason if len(step.reason) <= LONGEST_REASON else step.reason[:LONGEST_REASON] + "……"
        lines.append(f"步骤 {step.step}：{reason}")
    lines.append("处理办法见 docs/operations.md“告警”")
    return "\n".join(lines)


def send(text: str, channels: Channels) -> list[str]:
    """Send `text` over every configured channel; returns the names of those that took it.

    All are tried; raises NotifyError naming each that failed.
    """
    sent, faults = [], []
    for variable, is_set, deliver in (
        (NOTIFY_WEBHOOK, bool(channels.webhook), _post),
        (NOTIFY_SMTP_URL, bool(channels.smtp_url), _mail),
    ):
        if not is_set:
            continue
        try:
            deliver(text, channels)
            sent.append(variable)
        except NotifyError as error:
            faults.append(f"{variable}：{error}")
        except (OSError, ValueError, smtplib.SMTPException) as error:
            # the text of the error may repeat the address with its token
            address = channels.webhook if variable == NOTIFY_WEBHOOK else channels.smtp_url
            faults.append(f"{variable}：{_host(address)} 未能送达（{type(error).__name__}）")
    if faults:
        raise NotifyError("\n".join(faults))
    return sent


def _post(text: str, channels: Channels) -> None:
    """As the group robots of 企业微信 and 钉钉 take it."""
    # urllib would open file:// too
    if urlsplit(channels.webhook).scheme not in ("http", "https"):
        raise NotifyError("应以 https:// 或 http:// 开头")
    body = json.dumps({"msgtype": "text", "text": {"content": text}}, ensure_ascii=False).encode()
    request = urllib.request.Request(
        channels.webhook,
        data=body,
        headers={"Content-Type": "application/json; charset=utf-8"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        answer = response.read(65536)
    # These robots answer 200 and say in the body that they refused.
    try:
        code = json.loads(answer).get("errcode", 0)
    except (ValueError, AttributeError):
        return
    if code:
        raise NotifyError(f"{_host(channels.webhook)} 拒收（errcode {code}）")


def _mail(text: str, channels: Channels) -> None:
    """Over smtps://, or smtp:// with STARTTLS where the server has it; a password goes over an encrypted line only."""
    url = urlsplit(channels.smtp_url)
    if url.scheme not in ("smtp", "smtps") or not url.hostname:
        raise NotifyError("应写作 smtps://用户:密码@主机:465 或 smtp://主机:25")
    if not channels.mail_to:
        raise NotifyError(f"没有收件人，请设置 {NOTIFY_MAIL_TO}")
    user, password = unquote(url.username or ""), unquote(url.password or "")
    message = EmailMessage()
    message["Subject"] = text.splitlines()[0]
    message["From"] = user if "@" in user else f"youjun@{url.hostname}"
    message["To"] = ", ".join(channels.mail_to)
    message.set_content(text)
    tls = ssl.create_default_context()
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            url.hostname, url.port or 465, timeout=TIMEOUT_SECONDS, context=tls
        )
    else:
        server = smtplib.SMTP(url.hostname, url.port or 25, timeout=TIMEOUT_SECONDS)
    with server:
        server.ehlo()
        encrypted = url.scheme == "smtps"
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=tls)
            server.ehlo()
            encrypted = True
        if user:
            if not encrypted:
                raise NotifyError(f"{url.hostname} 不支持加密，密码没有发送；请改用 smtps://")
            server.login(user, password)
        server.send_message(message)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or "地址"
    except ValueError:
        return "地址"
