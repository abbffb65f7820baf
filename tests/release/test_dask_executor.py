"""A run on a Dask cluster of processes: what one machine does, worker deaths included."""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from distributed import Client, LocalCluster
from PIL import Image

from latentdp import Aborted, InputError, WeightsError
from latentdp.core.content_digest import ContentDigest
from latentdp.data import radiograph
from latentdp.data.radiograph import Identity, Provenance, read
from latentdp.privacy.noise import SeededNoise
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.release import dask_executor, tasks
from latentdp.release.dask_executor import RemoteDraws, RemoteTask, carry_out, draw_remotely
from latentdp.release.executor import GROUP
from latentdp.release.privatize import preview, privatize_folder
from latentdp.release.tasks import Task
from latentdp.vault.vault import Vault
from tests.support.dicom_files import gradient, save
from tests.support.dicom_files import radiograph as dicom_radiograph
from tests.support.sweeps import slow

pytestmark = pytest.mark.xdist_group("cluster")  # which takes seconds to start

FILES = 60  # of which each worker gets several groups
EPSILON = 256.0


@pytest.fixture(scope="module")
def workers() -> Iterator[LocalCluster]:
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as made:
        yield made


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("in")
    rng = np.random.default_rng(0)
    for i in range(FILES):
        picture = rng.integers(0, 255, size=(64, 64), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"{i}.png")
    (folder / "again.png").write_bytes((folder / "0.png").read_bytes())
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def privatizer(tiny_weights) -> Privatizer:
    recipe = Recipe.from_preset("dp-glow", weights=str(tiny_weights), epsilon=EPSILON)
    return Privatizer.from_recipe(recipe)


def pids(workers: LocalCluster) -> list[int]:
    return [w.process.process.pid for w in workers.workers.values() if w.process is not None]


def on_cluster(address: str, source: Path, privatizer: Privatizer, place: Path, **more):
    return privatize_folder(
        source,
        place / "out",
        privatizer=privatizer,
        vault=place / "vault",
        cluster=address,
        **more,
    )


def check(place: Path, summary=None, url: str | None = None) -> None:
    """Every input once, every output charged once, nothing left over."""
    images = place / "out" / "images"
    assert len(list(images.iterdir())) == FILES
    assert not list(images.glob(".*"))
    assert not list((place / "vault" / "drafts").iterdir())
    card = json.loads((place / "out" / "release.json").read_text())
    assert card["counts"]["images_in_release"] == FILES
    vault = Vault(place / "vault")
    with vault.locked():
        book = vault.ledger(url)
        made = book.outputs(p.name for p in images.iterdir())
        spent = book.spent({entry.subject for entry in made.values()})
        book.close()
    micro = sum(s.micro_epsilon for s in spent.values())
    assert micro == pytest.approx(1e6 * FILES * card["guarantee"]["image"]["epsilon"], rel=1e-6)
    if summary is not None:
        assert summary.released + summary.already == FILES
        assert summary.duplicates == 1
        assert summary.quarantined == {"unreadable": 1}


def test_it_accounts_for_what_one_machine_does(workers, source, privatizer, tmp_path):
    address = workers.scheduler_address
    done = []
    summary = on_cluster(
        address, source, privatizer, tmp_path, progress=lambda i, n: done.append((i, n))
    )
    check(tmp_path, summary)
    assert done[-1] == (FILES + 2, FILES + 2)
    here = privatize_folder(source, tmp_path / "b", privatizer=privatizer, vault=tmp_path / "v")
    assert here.counts() == summary.counts()
    again = on_cluster(address, source, privatizer, tmp_path)
    assert (again.already, again.released) == (FILES, 0)
    check(tmp_path, again)
    told, refused = preview(source, privatizer=privatizer, cluster=address)
    assert told.counts() == here.counts()
    assert refused == [("broken.png", "unreadable")]


def test_only_workers_look_at_inputs_and_no_input_travels(
    workers, source, privatizer, tmp_path, monkeypatch
):
    """Digest, pixels and new header are of the worker; the run has paths, images and drafts."""

    def never(*_arguments, **_more):
        raise AssertionError("the run looked at an input itself")

    for owner, name in (
        (radiograph, "read"),
        (radiograph, "encode"),
        (tasks, "_bytes_of"),
        (ContentDigest, "of"),
        (ContentDigest, "of_file"),
    ):
        monkeypatch.setattr(owner, name, never)  # here; workers have their own
    address = workers.scheduler_address
    summary = on_cluster(address, source, privatizer, tmp_path)
    check(tmp_path, summary)
    large = save(dicom_radiograph(gradient(1024, 800)), tmp_path / "large.dcm")
    with dask_executor.cluster(privatizer, address, source=large) as pool:
        (taken,) = pool.take([large], ContentDigest.BLAKE3, pixels=True)
    assert isinstance(taken.read, radiograph.Radiograph)
    assert taken.content
    assert len(pickle.dumps(taken)) < large.stat().st_size / 100


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_nothing(workers, source, privatizer, tmp_path):
    killed = []

    def progress(done: int, total: int) -> None:
        if done > 2 and not killed:  # after the first that is released
            killed.append(pids(workers)[0])
            os.kill(killed[0], signal.SIGKILL)

    summary = privatize_folder(
        source,
        tmp_path / "out",
        privatizer=privatizer,
        vault=tmp_path / "vault",
        cluster=workers.scheduler_address,
        progress=progress,
    )
    assert killed
    check(tmp_path, summary)


COMMAND = Path(sys.executable).with_name("latentdp")


@pytest.mark.parametrize(
    ("database", "moments"),
    [slow("sqlite", (1, 40)), slow("postgresql", (1, 40))],  # on one machine: tests/cli
)
def test_a_run_that_is_killed_is_finished_by_the_next(
    workers, source, tiny_weights, tmp_path, database, moments, request, command, monkeypatch
):
    url = None
    if database == "postgresql":
        url = request.getfixturevalue("postgres").fresh()
    call = [COMMAND, "privatize", source, "out", "--weights", tiny_weights, "--preset", "dp-glow"]
    call += ["--vault", "vault", "--cluster", workers.scheduler_address, "--json"]
    call += ["--ledger", url] if url else []
    images = tmp_path / "out" / "images"
    seen: set[bytes] = set()
    for enough in moments:
        run = subprocess.Popen(
            call, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while run.poll() is None and len(list(images.glob("*"))) < enough:
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
        run.wait()
        seen |= {path.read_bytes() for path in images.iterdir()}
    monkeypatch.chdir(tmp_path)
    assert command(*call[1:]) == 1  # one is quarantined
    check(tmp_path, url=url)
    assert seen <= {path.read_bytes() for path in images.iterdir()}, "one draw for each charge"


def draws(source: Path, privatizer: Privatizer) -> RemoteDraws:
    radiograph = read(source / "1.png", privatizer.flow.shape)
    task = Task(
        output="SECRET.png",
        image=radiograph.image,
        source=radiograph.source,
        label=-1,
        identity=Identity(patient="", study="", series="", instance=""),
        method=Provenance(
            description="d", version="0", size=16, profile=privatizer.recipe.profile
        ),
    )
    return RemoteDraws(recipe=privatizer.recipe, exact=True, tasks=[task])


def test_a_worker_writes_nothing(source, privatizer, tmp_path, monkeypatch):
    """Of two attempts at an output each draws its own noise, and the run writes one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ((one,), (other,)) = (draw_remotely(draws(source, privatizer)) for _ in range(2))
    assert one.content != other.content
    assert one.content.startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_logged_of_what_a_worker_fails_on(source, privatizer):
    work = draws(source, privatizer)
    remote_task = RemoteTask(function=draw_remotely, items=[work], reach=[Path("SECRET")])
    assert "SECRET" not in repr(remote_task) + repr(work) + repr(work.tasks[0])


def test_an_errand_is_done_alone(tmp_path):
    """However many threads a worker has: reading a file is not for several at once."""
    inside, most = [], []

    def item(i: int) -> None:
        inside.append(i)
        most.append(len(inside))
        time.sleep(0.005)
        inside.remove(i)

    def thread(i: int) -> None:
        carry_out(RemoteTask(function=item, items=[i, i], reach=[tmp_path]))

    threads = [threading.Thread(target=thread, args=(i,)) for i in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(most) == 16
    assert max(most) == 1


@pytest.mark.slow
def test_results_are_let_go_when_they_are_taken(workers, privatizer, source):
    """Dask would compute them again if a worker died."""
    with (
        dask_executor.cluster(privatizer, workers.scheduler_address, source=source) as pool,
        Client(workers.scheduler_address, set_as_default=False) as client,
    ):
        files = sorted(source.iterdir())
        assert len(list(pool.take(files, ContentDigest.BLAKE3, pixels=False))) == FILES + 2
        end = time.monotonic() + 20
        while client.who_has() and time.monotonic() < end:
            time.sleep(0.1)
        assert client.who_has() == {}


@pytest.mark.slow
def test_a_worker_that_misses_a_file_ends_the_run(workers, privatizer, source, monkeypatch):
    """It would say that the file cannot be read, and all would go on without it."""
    monkeypatch.setattr(dask_executor, "_readable", lambda path: True)  # as it is here, not there
    paths = [source / "0.png", source / "elsewhere.png"]
    with (
        dask_executor.cluster(privatizer, workers.scheduler_address, source=source) as pool,
        pytest.raises(Aborted, match="does not reach"),
    ):
        list(pool.take(paths, ContentDigest.BLAKE3, pixels=False))


def test_an_error_of_ours_is_not_a_lost_cluster(workers, privatizer, source):
    """Nor a reason to run the same command again."""
    with (
        dask_executor.cluster(privatizer, workers.scheduler_address, source=source) as pool,
        pytest.raises(ValueError, match="invalid literal"),
    ):
        list(pool._each(int, [["no number"]], [[source]]))


def test_workers_that_join_later_get_their_share(privatizer, source):
    class Growing:
        workers = 0

        def nthreads(self):
            self.workers += 10
            return dict.fromkeys(range(self.workers), 4)

    pool = dask_executor.ClusterPool(Growing(), privatizer, source)
    parts = [len(part) for part in pool.chunks(range(10_000))]
    each = dask_executor.PER_WORKER * GROUP * 10
    assert parts[:3] == [each, 2 * each, 3 * each]
    assert sum(parts) == 10_000


def run(source, privatizer, place, **options):
    return privatize_folder(
        source, place / "out", privatizer=privatizer, vault=place / "vault", **options
    )


def test_what_cannot_be_done_is_refused_before_anything_is_written(
    workers, source, privatizer, tmp_path, monkeypatch
):
    address = workers.scheduler_address
    with pytest.raises(InputError, match="not both"):
        run(source, privatizer, tmp_path, cluster=address, workers=2)
    noisy = Privatizer(privatizer.flow, privatizer.recipe, SeededNoise(1))
    with pytest.raises(InputError, match="operating systems"):
        run(source, noisy, tmp_path, cluster=address)
    lost = replace(privatizer.recipe, weights="/nowhere/x.safetensors")
    strange = Privatizer(privatizer.flow, lost)
    with pytest.raises(WeightsError, match="no weights named"):
        run(source, strange, tmp_path, cluster=address)
    with monkeypatch.context() as impatient:
        impatient.setattr(dask_executor, "PATIENCE", 1)
        for wrong in ("tcp://127.0.0.1:9", "nonsense"):
            with pytest.raises(InputError, match="no Dask scheduler"):
                run(source, privatizer, tmp_path, cluster=wrong)
    monkeypatch.setattr(dask_executor, "__version__", "9.9")
    with pytest.raises(InputError, match=r"expected latentdp 9\.9"):
        run(source, privatizer, tmp_path, cluster=address)
    assert not (tmp_path / "out" / "images").exists()


def test_the_command_goes_to_the_cluster(
    source, tiny_weights, tmp_path, monkeypatch, command, capsys
):
    monkeypatch.setattr(dask_executor, "PATIENCE", 1)
    call = (
        "privatize",
        source,
        tmp_path / "out",
        "--weights",
        tiny_weights,
        "--preset",
        "dp-glow",
    )
    call += ("--cluster", "tcp://127.0.0.1:9")
    assert command(*call, "--vault", tmp_path / "vault") == 2
    assert "no Dask scheduler" in capsys.readouterr().err
    assert command(*call) == 2
    assert "needs --vault" in capsys.readouterr().err


def test_a_source_that_workers_do_not_reach_is_refused(workers, privatizer, tmp_path):
    with (
        pytest.raises(InputError, match="file system that all machines share"),
        dask_executor.cluster(privatizer, workers.scheduler_address, source=tmp_path / "none"),
    ):
        pass


@pytest.mark.slow
def test_a_cluster_that_is_lost_ends_the_run(workers, source, privatizer, tmp_path):
    """What is finished is safe, and the next run goes on from there.

    The last test, as it ends the cluster that the others share.
    """

    def progress(done: int, total: int) -> None:
        if done > 2:
            workers.close()

    address = workers.scheduler_address
    with pytest.raises(Aborted, match="cluster was lost"):
        run(source, privatizer, tmp_path, cluster=address, progress=progress)
    check(tmp_path, run(source, privatizer, tmp_path))
