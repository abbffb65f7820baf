"""Archives by their addresses, and what may stand on a command line."""

import pytest

from latentdp import InputError
from latentdp.archives.address import ApplicationEntity, WebService, parse_address
from latentdp.archives.connection import Connection, connect
from latentdp.archives.credentials import VARIABLE, Credentials, find_credentials


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://pacs.example/dicom-web/", WebService("https://pacs.example/dicom-web")),
        ("http://localhost:8042/dicom-web", WebService("http://localhost:8042/dicom-web")),
        ("PACS@10.0.0.5:104", ApplicationEntity("PACS", "10.0.0.5", 104)),
        ("MY PACS@host:11112", ApplicationEntity("MY PACS", "host", 11112)),
        ("A@B@[::1]:104", ApplicationEntity("A@B", "::1", 104)),
    ],
)
def test_addresses_are_read_and_said_again(text, address):
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "PACS", "PACS@host", "PACS@host:0", "PACS@host:65536", "@host:104", "ftp://host/x",
        "https://", "https://host:x/", "https://host/?a=1", "back\\slash@host:104",
        "a title that is too long@host:104", "PACS@::1:104", "TÏTLE@host:104",
    ],
)  # fmt: skip
def test_other_forms_are_refused(text):
    with pytest.raises(InputError, match=r"^expected"):
        parse_address(text)


def test_a_password_in_a_url_is_refused_and_not_repeated():
    with pytest.raises(InputError, match="--credentials") as raised:
        parse_address("https://jane:geheim@host/dicom-web")
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize(
    ("line", "credentials"),
    [
        ("bearer abc.def-_~+/=", Credentials("bearer", "abc.def-_~+/=")),
        ("Basic jane:pass word:ü\n", Credentials("basic", "jane:pass word:ü")),
    ],
)
def test_credentials_come_from_a_file_or_the_environment(line, credentials, tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    assert find_credentials(None) is None
    monkeypatch.setenv(VARIABLE, line.strip())
    assert find_credentials(None) == credentials
    file = tmp_path / "credentials"
    file.write_text(line, encoding="utf-8")
    file.chmod(0o600)
    monkeypatch.setenv(VARIABLE, "bearer another")
    assert find_credentials(file) == credentials
    assert credentials.secret not in repr(credentials)


@pytest.mark.parametrize("line", ["", "abc", "bearer", "bearer a b", "basic jane", "digest a:b"])
def test_other_credentials_are_refused_and_not_repeated(line, tmp_path):
    file = tmp_path / "credentials"
    file.write_text(line)
    file.chmod(0o600)
    with pytest.raises(InputError, match=r"^expected") as raised:
        find_credentials(file)
    assert "jane" not in str(raised.value)


def test_a_file_that_others_can_read_is_refused(tmp_path):
    file = tmp_path / "credentials"
    file.write_text("bearer abc")
    file.chmod(0o640)
    with pytest.raises(InputError, match="chmod 600"):
        find_credentials(file)
    with pytest.raises(InputError, match="cannot be read"):
        find_credentials(tmp_path / "none")


def test_credentials_never_cross_a_network_in_the_open():
    """Nor does a title-and-port know them."""
    known = Connection(credentials=Credentials("bearer", "abc"))
    with pytest.raises(InputError, match="https"):
        connect(parse_address("http://pacs.example/dicom-web"), known)
    with pytest.raises(InputError, match="AE title"):
        connect(parse_address("PACS@host:104"), known)
    connect(parse_address("http://127.0.0.1/dicom-web"), known)


def test_without_its_packages_the_command_says_what_to_install(command, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert command("pull", "PACS@host:104", "folder", "--all") == 2
    assert "pip install latentdp[network]" in capsys.readouterr().err
