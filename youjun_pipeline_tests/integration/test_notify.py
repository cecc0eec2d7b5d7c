"""Notices against a web server and a mail server on this machine."""

from __future__ import annotations

import base64
import http.server
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509  # Great Expectations brings it
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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
    """The part of SMTP that a client needs to send a mail; `tls` and `greeting` say how the connection is encrypted."""

    def handle(self) -> None:
        server: Any = self.server
        # A client that does not trust the certificate hangs up.
        with suppress(OSError):
            if server.greeting == "smtps":
                self.encrypt()
            self.wfile.write(b"220 here\r\n")
            self.answer()

    def encrypt(self) -> None:
        server: Any = self.server
        self.connection = server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)

    def answer(self) -> None:
        server: Any = self.server
        while line := self.rfile.readline().decode().strip():
            server.said.append((isinstance(self.connection, ssl.SSLSocket), line))
            if line.lower().startswith("ehlo"):
                extension = {"starttls": "STARTTLS", "smtp": "8BITMIME"}.get(server.greeting, "AUTH PLAIN")
                if isinstance(self.connection, ssl.SSLSocket):
                    extension = "AUTH PLAIN"
                self.wfile.write(f"250-here\r\n250 {extension}\r\n".encode())
                continue
            if line.upper() == "STARTTLS":
                self.wfile.write(b"220 go\r\n")
                self.encrypt()
                continue
            if line.lower().startswith("auth"):
                _, _, token = line.split()
                known = base64.b64decode(token).split(b"\0")[1:] == [b"who@here.cn", SECRET.encode()]
                self.wfile.write(b"235 ok\r\n" if known else b"535 no\r\n")
                continue
            if line.upper() == "DATA":
                self.wfile.write(b"354 go\r\n")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part)
                server.taken.append(message_from_bytes(b"".join(lines), policy=default))
            self.wfile.write(b"221 bye\r\n" if line.upper() == "QUIT" else b"250 ok\r\n")
            if line.upper() == "QUIT":
                return


_STATE: dict[str, Any] = {"status": 200, "answer": b"", "greeting": "smtp", "tls": None}


@contextmanager
def serving(handler: Any, **state: Any) -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        for name, value in ({"taken": [], "said": []} | _STATE | state).items():
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
    assert [line for _, line in mail.said if line.lower().startswith("rcpt")] == [
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
    assert not any(SECRET in line or line.lower().startswith("auth") for _, line in mail.said)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A self-signed certificate for `localhost`: the server's side of it, and the file by which clients trust it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(public, private)
    return tls, public


def mail_to(server: Any, scheme: str, host: str = "localhost", password: str = SECRET) -> Channels:
    address = f"{scheme}://who%40here.cn:{password}@{host}:{server.server_address[1]}"
    return Channels(smtp_url=address, mail_to=("a@b.cn",))


@pytest.mark.parametrize(("scheme", "greeting"), [("smtp", "starttls"), ("smtps", "smtps")])
def test_mail_goes_over_an_encrypted_line(
    certificate: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch, scheme: str, greeting: str
) -> None:
    tls, trusted = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with serving(Mailbox, tls=tls, greeting=greeting) as mail:
        assert send("优均：试", mail_to(mail, scheme)) == ["YOUJUN_NOTIFY_SMTP_URL"]
    [message] = mail.taken
    assert (message["From"], message["Subject"]) == ("who@here.cn", "优均：试")
    in_the_clear = [line.split()[0].lower() for encrypted, line in mail.said if not encrypted]
    assert in_the_clear == (["ehlo", "starttls"] if greeting == "starttls" else [])
    assert any(line.startswith("AUTH PLAIN") for encrypted, line in mail.said if encrypted)


@pytest.mark.parametrize(("scheme", "greeting"), [("smtp", "starttls"), ("smtps", "smtps")])
@pytest.mark.parametrize(("host", "is_trusted", "why"), [
    ("localhost", False, "self.signed certificate"),
    ("127.0.0.1", True, "IP address mismatch"),
])  # fmt: skip
def test_a_certificate_that_proves_nothing_stops_the_mail_before_the_password(
    certificate: tuple[ssl.SSLContext, Path],
    monkeypatch: pytest.MonkeyPatch,
    scheme: str,
    greeting: str,
    host: str,
    is_trusted: bool,
    why: str,
) -> None:
    tls, trusted = certificate
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with (
        serving(Mailbox, tls=tls, greeting=greeting) as mail,
        pytest.raises(NotifyError, match=f"{host} 未能送达（服务器的证书不可信：.*{why}") as caught,
    ):
        send("x", mail_to(mail, scheme, host))
    assert mail.taken == [] and not any(line.lower().startswith("auth") for _, line in mail.said)
    assert SECRET not in str(caught.value)


def test_a_wrong_password_is_called_so(
    certificate: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, trusted = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with (
        serving(Mailbox, tls=tls, greeting="smtps") as mail,
        pytest.raises(NotifyError, match="localhost 未能送达（用户名或密码不对）"),
    ):
        send("x", mail_to(mail, "smtps", password="another"))
    assert mail.taken == []


def test_nothing_configured_sends_nothing() -> None:
    assert send("x", Channels.from_environment({"YOUJUN_NOTIFY_MAIL_TO": " , "})) == []
