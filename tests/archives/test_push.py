"""What is sent: a release whose card verifies, its images, and nothing else."""

import json
import shutil

import pytest

from latentdp.archives.address import parse_address
from latentdp.archives.connection import Connection
from latentdp.archives.push import push
from latentdp.data.dicom.messages import stored_as
from latentdp.errors import ArchiveError, InputError
from tests.support.archives import service, study

TAKEN = (200, {"Content-Type": "application/dicom+json"}, b"{}")


@pytest.fixture
def release(released, tmp_path):
    """A copy that may be changed."""
    return shutil.copytree(released, tmp_path / "release")


def send(folder, url, **options):
    return push(folder, parse_address(url), Connection(timeout=10), **options)


@pytest.mark.promise("No archive is sent an original, a vault, or a release that was altered.")
def test_nothing_but_a_release_that_verifies_leaves_the_machine(release, released, tmp_path):
    with service(lambda request: TAKEN) as (url, asked):
        originals = tmp_path / "originals"
        study(originals, 1)
        for folder in (originals, released.parent / "vault", tmp_path / "none"):
            with pytest.raises(InputError):
                send(folder, url)
        original = next(iter(originals.iterdir()))
        for name in ("extra.dcm", next(iter((release / "images").iterdir())).name):
            altered = shutil.copytree(release, tmp_path / name)
            shutil.copy(original, altered / "images" / name)
            with pytest.raises(InputError, match="does not verify"):
                send(altered, url)
        card = json.loads((release / "release.json").read_text())
        for change in ({"status": "incomplete"}, {"contents_sha256": ""}):
            (release / "release.json").write_text(json.dumps(card | change))
            (release / "release.html").unlink(missing_ok=True)
            with pytest.raises(InputError):
                send(release, url)
        assert asked == []


def test_what_was_acknowledged_is_not_sent_again(released):
    """The archive is lost at the third image; the same command goes on with it."""
    lost = [False]

    def answer(request):
        return (500, {}, b"") if lost[0] else TAKEN

    with service(answer) as (url, asked):
        first = []

        def progress(done, total):
            first.append((done, total))
            lost[0] = done == 2

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("latentdp.archives.dicomweb._BATCH", 1)
            with pytest.raises(ArchiveError, match="HTTP 500"):
                send(released, url, progress=progress)
            assert first == [(1, 4), (2, 4)]
            lost[0] = False
            asked.clear()
            pushed = send(released, url)
        assert (pushed.sent, pushed.already, pushed.exit_code) == (2, 2, 0)
        assert len(asked) == 2
        assert send(released, url).already == 4
        assert len(asked) == 2
        assert send(released, url, again=True).sent == 4


def test_each_image_that_is_not_taken_has_its_line(released):
    uid = {}

    def answer(request):
        failed = {"00081155": {"vr": "UI", "Value": [uid["one"]]},
                  "00081197": {"vr": "US", "Value": [0xC122]}}  # fmt: skip
        body = {"00081198": {"vr": "SQ", "Value": [failed]}}
        headers = {"Content-Type": "application/dicom+json; charset=utf-8"}
        return 202, headers, json.dumps(body).encode()

    path = min((released / "images").iterdir())
    uid["one"] = stored_as(path).instance
    with service(answer) as (url, _):
        pushed = send(released, url)
    assert (pushed.sent, pushed.exit_code) == (3, 1)
    (problem,) = pushed.problems
    assert problem == f"{path.name}: STOW failure 0xC122: its transfer syntax is not supported"


def test_a_request_that_is_refused_as_a_whole_is_made_again_one_by_one(released):
    answers = iter([(409, {}, b""), TAKEN, (409, {}, b""), TAKEN, TAKEN])
    with service(lambda request: next(answers)) as (url, asked):
        pushed = send(released, url)
    assert len(asked) == 5
    assert (pushed.sent, len(pushed.problems)) == (3, 1)


@pytest.mark.parametrize("status", [200, 202])
def test_a_page_that_wants_a_login_acknowledges_nothing(released, status):
    """A proxy whose session has run out answers so, and says success."""
    page = (status, {"Content-Type": "text/html"}, b"<html>Log in</html>")
    with service(lambda request: page) as (url, _), pytest.raises(ArchiveError) as raised:
        send(released, url)
    assert "its answer is not one of DICOMweb" in str(raised.value)
    with service(lambda request: TAKEN) as (url, asked):
        assert send(released, url).already == 0
    assert asked


@pytest.mark.parametrize("status", [200, 202, 409])
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"00081198": "x"}',
        b'{"00081198": {"Value": [1, null]}}',
        b'{"00081198": {"Value": [{"00081197": {"Value": ["%s"]}}]}}' % (b"9" * 5_000),
        '{"00081198": {"Value": [{"00081197": {"Value": ["²"]}}]}}'.encode(),
    ],
)
def test_an_odd_answer_is_said_in_a_line_and_acknowledges_nothing(released, status, body):
    answer = (status, {"Content-Type": "application/dicom+json"}, body)
    with service(lambda request: answer) as (url, _):
        if status == 409:  # each image is refused
            assert send(released, url).sent == 0
            return
        with pytest.raises(ArchiveError, match="its answer is not one of DICOMweb"):
            send(released, url)


def test_a_service_that_answers_in_xml_or_not_at_all_has_stored_all(released):
    xml = b"<NativeDicomModel/>"
    for answer in ((200, {"Content-Type": "application/dicom+xml"}, xml), (200, {}, b"")):
        with service(lambda request, answer=answer: answer) as (url, _):
            assert send(released, url, again=True).sent == 4
