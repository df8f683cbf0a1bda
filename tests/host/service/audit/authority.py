"""A time-stamping authority: openssl's, behind a small HTTP server, with a chain of certificates of its own."""

from __future__ import annotations

import datetime as dt
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CONFIGURATION = """
[tsa]
default_tsa = authority
[authority]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
certs = {folder}/intermediate.pem
signer_digest = sha256
default_policy = 1.3.6.1.4.1.57264.2
digests = {digests}
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """It answers at `url`; `root` is the certificate that its chain begins with (PEM).

    Args:
        folder: where it keeps its keys.
        digests: what it stamps.
        days: how long its certificate is good; less than 0 when it is good no more.
    """

    def __init__(
        self,
        folder: Path,
        digests: str = "sha256",
        days: int = 30,
    ) -> None:
        folder.mkdir()
        self._folder = folder
        self.root = folder / "root.pem"
        self.asked: list[bytes] = []
        self.answer: Callable[[bytes], tuple[int, bytes]] = lambda query: (200, self.stamp(query))
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(_CONFIGURATION.format(folder=folder, digests=digests))
        _make_certificates(folder, days=days)
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self.start()

    @property
    def url(self) -> str:
        """Where it answers, or answered."""
        return f"http://127.0.0.1:{self._port}/"

    def start(self, port: int = 0) -> None:
        """Begins to answer."""
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/timestamp-query"
                authority.asked.append(query)
                status, body = authority.answer(query)
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answers no more; `start(port)` begins again where it was."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = None

    def restart(self) -> None:
        """Begins to answer again, at the same address."""
        self.start(self._port)

    def certificate(self, name: str) -> bytes:
        """The DER of its "root", "intermediate" or "signer"."""
        pem = (self._folder / f"{name}.pem").read_bytes()
        return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)

    def stamp(self, query: bytes) -> bytes:
        """The response to a query; a rejection too is one."""
        with self._lock:
            (self._folder / "query").write_bytes(query)
            command = [
                "openssl",
                "ts",
                "-reply",
                "-config",
                "tsa.cnf",
                "-queryfile",
                "query",
                "-out",
                "reply",
            ]
            subprocess.run(command, cwd=self._folder, check=True, capture_output=True)
            return (self._folder / "reply").read_bytes()


def _make_certificates(folder: Path, *, days: int) -> None:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    names = [_name(text) for text in ("Root", "Intermediate", "Authority")]
    root, intermediate, signer = (
        _certificate(names, keys, number, days if number == _SIGNER else 30) for number in range(3)
    )
    (folder / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (folder / "intermediate.pem").write_bytes(intermediate.public_bytes(Encoding.PEM))
    (folder / "signer.pem").write_bytes(signer.public_bytes(Encoding.PEM))
    (folder / "signer.key").write_bytes(
        keys[_SIGNER].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )


_SIGNER = 2


def _certificate(
    names: list[x509.Name], keys: list[ec.EllipticCurvePrivateKey], number: int, days: int
) -> x509.Certificate:
    """The certificate of a link of the chain, signed by the one before it."""
    now = dt.datetime.now(dt.UTC)
    by = max(0, number - 1)
    is_authority = number < _SIGNER
    builder = (
        x509.CertificateBuilder()
        .subject_name(names[number])
        .issuer_name(names[by])
        .public_key(keys[number].public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=60))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(keys[number].public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[by].public_key()), critical=False
        )
    )
    if not is_authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(purpose, critical=True)
    return builder.sign(keys[by], hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
