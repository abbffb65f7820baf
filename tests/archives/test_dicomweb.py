"""What a DICOMweb service may answer, and what is said of it."""

import json

import pytest

from latentdp.archives.address import parse_address
from latentdp.archives.connection import Connection, connect
from latentdp.archives.credentials import Credentials
from latentdp.archives.pull import count_studies
from latentdp.archives.study_filter import StudyFilter, StudyQuery
from latentdp.errors import ArchiveError
from tests.support.archives import service

JSON = {"Content-Type": "application/dicom+json"}
QUERY = StudyQuery(keys={"PatientID": "P1"}, modality="CR")


def studies(url, **connection):
    with connect(parse_address(url), Connection(timeout=5, **connection)) as archive:
        return [study.uid for study in archive.studies(QUERY)]


def found(*uids):
    rows = [{"0020000D": {"vr": "UI", "Value": [uid]}} for uid in uids]
    return 200, JSON, json.dumps(rows).encode()


@pytest.mark.parametrize("heeds", [True, False])
def test_all_pages_are_read_and_no_page_for_ever(heeds, monkeypatch):
    """Some services answer with all they have, whatever the offset."""
    monkeypatch.setattr("latentdp.archives.dicomweb._PAGE", 2)
    uids = ["1.1", "1.2", "1.3"]

    def answer(request):
        at = int(request.path.partition("offset=")[2].partition("&")[0])
        return found(*(uids[at : at + 2] if heeds else uids))

    with service(answer) as (url, asked):
        assert studies(url) == uids
    assert len(asked) == (3 if heeds else 2)
    assert "PatientID=P1" in asked[0].path
    assert "ModalitiesInStudy=CR" in asked[0].path


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((401, {}, b""), "it wants other credentials (--credentials"),
        ((403, {}, b""), "these credentials may not do that (HTTP 403)"),
        ((404, {}, b""), "there is no such service"),
        ((500, {}, b"geheim"), "it refused (HTTP 500)"),
        ((200, JSON, b"<html>geheim"), "its answer is not one of DICOMweb"),
        ((200, JSON, b'["geheim"]'), "its answer is not one of DICOMweb"),
        ((200, JSON, b"[" * 100_000), "its answer is not one of DICOMweb"),
    ],
)
def test_a_refusal_is_one_line_that_names_the_service(answer, words):
    with service(lambda request: answer) as (url, _), pytest.raises(ArchiveError) as raised:
        studies(url)
    assert words in str(raised.value)
    assert str(raised.value).startswith(url)
    assert "geheim" not in str(raised.value)
    assert raised.value.exit_code == 7


def test_nobody_there_is_one_line(monkeypatch):
    monkeypatch.setattr("latentdp.archives.dicomweb._ATTEMPTS", 1)
    with service(lambda request: found()) as (url, _):
        pass
    with pytest.raises(ArchiveError, match=r"no connection, or it was lost \(.+\)$"):
        studies(url)


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        (Credentials("bearer", "abc"), "Bearer abc"),
        (Credentials("basic", "jane:ü:x"), "Basic amFuZTrDvDp4"),
        (None, ""),
    ],
)
def test_credentials_go_to_the_service_and_to_no_other(credentials, header, tmp_path, monkeypatch):
    """Nor does a file of curl's step in for them."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password geheim\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with service(lambda request: found("1.1")) as (other, elsewhere):
        away = other.replace("127.0.0.1", "localhost")

        def answer(request):
            return 302, {"Location": f"{away}/studies"}, b""

        with service(answer) as (url, asked):
            studies(url, credentials=credentials)
    assert {request.authorization for request in asked} == {header}
    assert {request.authorization for request in elsewhere} == {""}


def test_a_name_of_a_file_is_no_uid():
    """An archive that is not to be trusted names a study so."""
    with service(lambda request: found("../../etc", "1.2")) as (url, _):
        wanted = StudyFilter(everything=True)
        assert count_studies(parse_address(url), wanted, Connection(timeout=5)) == 1
