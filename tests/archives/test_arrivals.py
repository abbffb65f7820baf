"""A patient's files are complete once none has come or changed for a while."""

import shutil

from latentdp.archives.arrivals import Arrivals
from latentdp.archives.received import keep
from latentdp.archives.spool import lay
from tests.support.archives import study


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def names(groups):
    return [sorted(name for name, _, _ in group) for group in groups]


def test_a_patients_files_wait_for_each_other_and_for_nobody_else(tmp_path):
    clock, folder = Clock(), tmp_path / "in"
    arrivals = Arrivals(folder, 10, clock)
    first, second = study(tmp_path / "all", 1), study(tmp_path / "all", 2, patient="p-1 ")
    other = study(tmp_path / "all", 3)
    folder.mkdir()
    for path in (first[0], other[0]):
        shutil.copy(path, folder)
    assert arrivals.complete() == []
    clock.now = 9
    shutil.copy(second[0], folder)  # another study of the first patient, otherwise spelled
    assert arrivals.complete() == []
    clock.now = 10
    assert names(arrivals.complete()) == [["3-0.dcm"]]
    clock.now = 19
    assert sorted(names(arrivals.complete())) == [["1-0.dcm", "2-0.dcm"], ["3-0.dcm"]]


def test_a_file_that_grows_is_waited_for(tmp_path):
    clock, folder = Clock(), tmp_path / "in"
    arrivals = Arrivals(folder, 10, clock)
    (path,) = study(folder, 1, images=1)
    data = path.read_bytes()
    path.write_bytes(data[:700])
    assert arrivals.complete() == []
    clock.now = 10
    path.write_bytes(data)
    assert arrivals.complete() == []
    clock.now = 19.9
    assert arrivals.complete() == []
    clock.now = 20
    (group,) = arrivals.complete()
    assert names([group]) == [["1-0.dcm"]]
    assert arrivals.complete(group) == []


def test_hidden_files_and_links_to_nowhere_are_passed_over(tmp_path):
    arrivals = Arrivals(tmp_path, 0, Clock())
    (tmp_path / ".part").write_bytes(b"half")
    (tmp_path / "link").symlink_to(tmp_path / "none")
    (tmp_path / "notes.txt").write_text("nothing")
    assert names(arrivals.complete()) == [["notes.txt"]]


def test_two_files_of_one_uid_are_both_kept(tmp_path):
    assert keep(tmp_path, "1.2.3", b"a") == keep(tmp_path, "1.2.3", b"a") == tmp_path / "1.2.3.dcm"
    other = keep(tmp_path, "1.2.3", b"b")
    assert other.read_bytes() == b"b"
    assert (tmp_path / "1.2.3.dcm").read_bytes() == b"a"
    lay(other, tmp_path / "1.2.3.dcm")
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"a", b"b"]


def test_a_uid_that_is_none_names_no_path(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    for uid in ("../evil", "..", "", "a/b", "1." * 60, "1..2"):
        assert keep(inside, uid, uid.encode()).parent == inside
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in inside.iterdir())
