"""A PostgreSQL server of the tests' own, from the distribution's package, on loopback."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg

PASSWORD = "p@ss/w:rd"  # what a URL has to quote


def binaries() -> Path | None:
    """The folder of initdb and postgres, the newest first; None where there is none."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3])
    )
    on_path = shutil.which("initdb")
    if not found and on_path:
        found = [Path(on_path).resolve()]
    return found[-1].parent if found else None


class Server:
    """A server in a temporary folder, with fsync off: speed, not durability, is tested here."""

    def __init__(self, folder: Path) -> None:
        self.binaries = folder
        # As root, the package's own user: PostgreSQL refuses root. Hence not below pytest's
        # temporary folder, which only root can enter.
        self.user = "postgres" if os.getuid() == 0 else None
        self.home = Path(tempfile.mkdtemp(prefix="latentdp-postgres-"))
        secret = self.home / "password"
        secret.write_text(PASSWORD)
        if self.user:
            owner = pwd.getpwnam(self.user)
            for path in (self.home, secret):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "--no-sync", "--auth=scram-sha-256", "--username=tester",
                  f"--pwfile={secret}", "--encoding=UTF8", "--no-locale",
                  "-D", self.home / "data")  # fmt: skip
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.start()

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.home,
            "fsync": "off",
            "shared_buffers": "16MB",
        }
        self.process = subprocess.Popen(
            [self.binaries / "postgres", "-D", self.home / "data"]
            + [word for name, value in settings.items() for word in ("-c", f"{name}={value}")],
            user=self.user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(500):
            try:
                self.connect().close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError("the server did not start")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)  # fast shutdown: clients are cut off
        self.process.wait(30)

    def end(self) -> None:
        self.process.send_signal(signal.SIGQUIT)  # at once, without a last checkpoint
        self.process.wait(30)
        shutil.rmtree(self.home)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="tester", password=PASSWORD, dbname=database,
            autocommit=True,
        )  # fmt: skip

    def url(self, database: str = "postgres", password: str = "p%40ss%2Fw%3Ard") -> str:
        return f"postgresql://tester:{password}@127.0.0.1:{self.port}/{database}"

    def fresh(self) -> str:
        """The URL of a new database."""
        name = f"t{secrets.token_hex(8)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url(name)

    def _run(self, name: str, *arguments: object) -> None:
        subprocess.run(
            [self.binaries / name, *map(str, arguments)],
            user=self.user, cwd="/", check=True, capture_output=True,
        )  # fmt: skip
