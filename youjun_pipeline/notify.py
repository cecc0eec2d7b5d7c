"""Telling a person what nobody would see otherwise: by webhook and by e-mail, whichever is configured.

Belongs here: the channels and the wording. Keep out: when to tell (`orchestration.sensors`), and any orchestrator. What a channel
address holds besides its host (token, password) never leaves this module, not in an error either.
"""

from __future__ import annotations

import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from youjun_pipeline.settings import NOTIFY_MAIL_TO, NOTIFY_SMTP_URL, NOTIFY_WEBHOOK, Channels

TIMEOUT_SECONDS = 20
LONGEST_REASON = 1500
# 企业微信 takes no more bytes of text than this in a message (钉钉 takes 20 000).
LONGEST_WEBHOOK_BYTES = 2048
SHOWN_CONCERNS = 50
LONGEST_CONCERN = 200
HEADS = {
    "held": "因数据问题未更新，保留上一次的结果",
    "gone": "已离开发布",
    "silent": "久未交付",
    "turned": "结论变化",
}


class NotifyError(RuntimeError):
    """A channel that did not take the notice; the message names the channel's variable and host, nothing secret."""


@dataclass(frozen=True)
class Failed:
    """One failed step and why, in the words of whoever raised it."""

    step: str
    reason: str


@dataclass(frozen=True)
class Concerned:
    """A district (and phase) that somebody should look after: one of HEADS, its name, why, and whether it was told before."""

    kind: str
    who: str
    reason: str
    is_new: bool


def failure_text(run_id: str, started_by: str, failed: list[Failed], *, published: bool) -> str:
    """The notice of a failed refresh, in Chinese: what failed, why, what stands, what to do."""
    stands = "发布库已更新，其后的步骤失败" if published else "上一次发布保持不变"
    steps = failed or [Failed("（未进入任何步骤）", "原因见 Dagster 运行日志")]
    lines = ["优均：刷新失败", f"运行 {run_id}（{started_by}）；{stands}"]
    for step in steps:
        lines.append(f"步骤 {step.step}：{_cut(step.reason, LONGEST_REASON)}")
    lines.append("处理办法见 docs/operations.md“告警”")
    return "\n".join(lines)


def concern_text(found: Sequence[Concerned]) -> str:
    """The notice of what a publication left behind, in Chinese; the new ones first, each with its reason."""
    new = [c for c in found if c.is_new]
    known = len(found) - len(new)
    lines = [f"优均：{len(new)} 处需要处理", "发布已完成，其他区县不受影响"]
    shown = 0
    for kind, head in HEADS.items():
        these = [c for c in new if c.kind == kind]
        if these:
            lines.append(f"{head}（{len(these)} 处）：")
        for concern in these[: SHOWN_CONCERNS - shown]:
            lines.append(f"  {concern.who}：{_cut(concern.reason, LONGEST_CONCERN)}")
        shown += min(len(these), SHOWN_CONCERNS - shown)
    if shown < len(new):
        lines.append(f"……另有 {len(new) - shown} 处，见发布库 quality.check_result")
    if known:
        lines.append(f"此前已通知、仍未解决的有 {known} 处")
    lines.append("处理办法见 docs/operations.md“告警”")
    return "\n".join(lines)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "……"


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
            faults.append(f"{variable}：{_host(address)} 未能送达（{_why(error)}）")
    if faults:
        raise NotifyError("\n".join(faults))
    return sent


def _post(text: str, channels: Channels) -> None:
    """As the group robots of 企业微信 and 钉钉 take it."""
    # urllib would open file:// too
    if urlsplit(channels.webhook).scheme not in ("http", "https"):
        raise NotifyError("应以 https:// 或 http:// 开头")
    content = _fitting(text, LONGEST_WEBHOOK_BYTES)
    body = json.dumps({"msgtype": "text", "text": {"content": content}}, ensure_ascii=False).encode()
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


def _fitting(text: str, longest: int) -> str:
    """The text cut to a number of bytes, at the end of a character; its last line, what to do, is kept."""
    if len(text.encode()) <= longest:
        return text
    last = "……\n" + text.splitlines()[-1]
    return text.encode()[: longest - len(last.encode())].decode(errors="ignore") + last


def _why(error: Exception) -> str:
    """What went wrong, without the error's own words where those could repeat an address."""
    reason = getattr(error, "reason", None)
    cause = reason if isinstance(reason, Exception) else error
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP 状态码 {error.code}"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"服务器的证书不可信：{cause.verify_message}"
    if isinstance(cause, smtplib.SMTPAuthenticationError):
        return "用户名或密码不对"
    if isinstance(cause, smtplib.SMTPRecipientsRefused):
        return f"收件人被拒收，请检查 {NOTIFY_MAIL_TO}"
    return type(cause).__name__


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or "地址"
    except ValueError:
        return "地址"
