"""Notices against a web server and a mail server on this machine."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from youjun_pipeline.notify import Failed, NotifyError, failure_text, send
from youjun_pipeline.settings import Channels

SECRET = "tok3n-not-to-be-told"


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server: Any = self.server
        server.taken.append(json.loads(body))
        self.send_response(server.status)
        self.end_headers()
        self.wfile.write(server.answer)

    def log_message(self, *args: Any) -> None:
        pass


class Mailbox(socketserver.StreamRequestHandler):
    """As much SMTP as a client needs to hand over a mail."""

    def handle(self) -> None:
        server: Any = self.server
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline().decode().strip():
            server.said.append(line)
            if line.upper() == "DATA":
                self.wfile.write(b"354 go\r\n")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part)
                server.taken.append(message_from_bytes(b"".join(lines), policy=default))
            self.wfile.write(b"221 bye\r\n" if line.upper() == "QUIT" else b"250 ok\r\n")
            if line.upper() == "QUIT":
                return


@contextmanager
def serving(handler: Any, **state: Any) -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        for name, value in ({"taken": [], "said": [], "status": 200, "answer": b""} | state).items():
            setattr(server, name, value)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def hook_at(server: Any) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/send?key={SECRET}"


def test_both_channels_take_the_notice() -> None:
    text = failure_text("run-1", "nightly", [Failed("deliveries", "工作库正被占用")], published=False)
    with serving(Hook) as hook, serving(Mailbox) as mail:
        channels = Channels(hook_at(hook), f"smtp://127.0.0.1:{mail.server_address[1]}", ("a@b.cn", "c@d.cn"))
        assert send(text, channels) == ["YOUJUN_NOTIFY_WEBHOOK", "YOUJUN_NOTIFY_SMTP_URL"]
    assert hook.taken == [{"msgtype": "text", "text": {"content": text}}]
    [message] = mail.taken
    assert message["Subject"] == "优均：刷新失败"
    assert message["To"] == "a@b.cn, c@d.cn"
    assert "步骤 deliveries：工作库正被占用" in message.get_content()
    assert [line for line in mail.said if line.lower().startswith("rcpt")] == [
        "rcpt TO:<a@b.cn>",
        "rcpt TO:<c@d.cn>",
    ]


@pytest.mark.parametrize("state", [{"status": 500}, {"answer": b'{"errcode": 93000, "errmsg": "invalid"}'}])
def test_a_refused_notice_is_an_error_that_tells_no_secret(state: dict[str, Any]) -> None:
    with serving(Hook, **state) as hook, serving(Mailbox) as mail:
        channels = Channels(hook_at(hook), f"smtp://127.0.0.1:{mail.server_address[1]}", ("a@b.cn",))
        with pytest.raises(NotifyError, match=r"YOUJUN_NOTIFY_WEBHOOK：127\.0\.0\.1") as caught:
            send("x", channels)
    assert SECRET not in str(caught.value)
    assert len(mail.taken) == 1, "the other channel is tried all the same"


@pytest.mark.parametrize(
    "channels",
    [
        Channels(webhook=f"file:///etc/{SECRET}"),
        Channels(webhook=f"http://127.0.0.1:9/{SECRET}"),
        Channels(webhook=f"http://[{SECRET}"),
        Channels(smtp_url=f"smtp://user:{SECRET}@127.0.0.1:9", mail_to=("a@b.cn",)),
        Channels(smtp_url=f"ftp://user:{SECRET}@127.0.0.1", mail_to=("a@b.cn",)),
        Channels(smtp_url=f"smtp://127.0.0.1:{SECRET}", mail_to=("a@b.cn",)),
        Channels(smtp_url="smtp://127.0.0.1:9"),
    ],
)
def test_unusable_channels_say_so_without_their_secret(channels: Channels) -> None:
    with pytest.raises(NotifyError) as caught:
        send("x", channels)
    assert "YOUJUN_NOTIFY_" in str(caught.value)
    assert SECRET not in str(caught.value) and SECRET not in repr(channels)


def test_a_password_is_not_sent_in_the_clear() -> None:
    with serving(Mailbox) as mail:
        url = f"smtp://user:{SECRET}@127.0.0.1:{mail.server_address[1]}"
        with pytest.raises(NotifyError, match="不支持加密"):
            send("x", Channels(smtp_url=url, mail_to=("a@b.cn",)))
    assert not any(SECRET in line or line.lower().startswith("auth") for line in mail.said)


def test_nothing_configured_sends_nothing() -> None:
    assert send("x", Channels.from_environment({"YOUJUN_NOTIFY_MAIL_TO": " , "})) == []
