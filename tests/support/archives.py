"""Archives of the tests' own, certificates, and studies to fill them with."""

from __future__ import annotations

import datetime
import ipaddress
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.dicom_files import radiograph, save

TITLE, ARCHIVE = "LATENTDP", "ORTHANC"


def study(folder: Path, number: int, *, images: int = 2, patient: str | None = None) -> list[Path]:
    """Writes a study of ``images`` radiographs, and another one of a computed tomography."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for image in range(images):
        stored = np.random.default_rng(100 * number + image).integers(0, 4000, (80, 72))
        dataset = radiograph(
            stored,
            PatientID=patient or f"P{number}",
            PatientName=f"Name^{number}",
            StudyInstanceUID=f"1.2.3.{number}",
            SeriesInstanceUID=f"1.2.3.{number}.1",
            SOPInstanceUID=f"1.2.3.{number}.1.{image + 1}",
            AccessionNumber=f"A{number}",
            StudyDate=f"2024010{number}",
            StudyTime="",
            BurnedInAnnotation="NO",
        )
        paths.append(save(dataset, folder / f"{number}-{image}.dcm"))
    return paths


@dataclass(frozen=True)
class Certificates:
    """Files in PEM, of an authority and of one whom it has signed, for 127.0.0.1."""

    authority: Path
    certificate: Path
    key: Path


def certificates(folder: Path, name: str = "ours") -> Certificates:
    """New ones, good for a day."""
    folder.mkdir(parents=True, exist_ok=True)
    root_key, key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    root = _name(f"authority of {name}")
    signed = _signed(root, root, root_key, root_key, x509.BasicConstraints(True, None))
    leaf = _signed(_name(name), root, key, root_key, x509.BasicConstraints(False, None))
    made = Certificates(
        folder / f"{name}-ca.pem", folder / f"{name}.pem", folder / f"{name}-key.pem"
    )
    made.authority.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    made.certificate.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _signed(subject, issuer, key, signer, constraints) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(constraints, critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False
        )
    )
    if constraints.ca:
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(signer, hashes.SHA256())


@dataclass(frozen=True)
class Asked:
    """A request that a service got."""

    method: str
    path: str
    authorization: str


@contextmanager
def service(
    answer: Callable[[Asked], tuple[int, dict[str, str], bytes]],
) -> Iterator[tuple[str, list[Asked]]]:
    """A web service on loopback; yields its URL and what it was asked."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            request = Asked(self.command, self.path, self.headers.get("Authorization", ""))
            asked.append(request)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            code, headers, body = answer(request)
            self.send_response(code)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/dicom-web", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
