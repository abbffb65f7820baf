"""An application entity as an archive: C-FIND, C-MOVE or C-GET, and C-STORE (PS3.4 B and C)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from pynetdicom import evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext, build_context, build_role

from latentdp.archives.address import ApplicationEntity
from latentdp.archives.archive import Series, StoreCallback, StoreOutcome, Study, is_uid
from latentdp.archives.association import associate, our_entity, status_words
from latentdp.archives.connection import Connection
from latentdp.archives.storage_scp import Listener, StorageScp
from latentdp.archives.study_filter import StudyQuery
from latentdp.archives.syntaxes import (
    FIND,
    GET,
    MOVE,
    RADIOGRAPHS,
    radiograph_contexts,
    sending_context,
)
from latentdp.data.dicom.messages import StoredAs, query, stored_as, texts, whole
from latentdp.errors import ArchiveError, UnsupportedInstance

__all__ = ["DimseArchive"]

_PENDING = (0xFF00, 0xFF01)
_WARNINGS = range(0xB000, 0xC000)
_TRIES = 3  # associations for one file that is not acknowledged
_STUDY = ("StudyInstanceUID", "PatientID", "AccessionNumber", "StudyDate")


class DimseArchive:
    """Connects when it is first asked, and again when the association was lost.

    Args:
        address: Of the archive.
        connection: How to speak to it.
    """

    def __init__(self, address: ApplicationEntity, connection: Connection) -> None:
        self._address, self._connection = address, connection
        self._entity = our_entity(connection)
        self._held = ExitStack()
        self._queries: Association | None = None
        self._retrievals: Association | None = None
        self._scp: StorageScp | None = None
        self._store: StoreCallback | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for association in (self._queries, self._retrievals):
            if association is not None and association.is_established:
                association.release()
        self._held.close()
        self._entity.shutdown()

    def studies(self, query: StudyQuery) -> Iterator[Study]:
        """As `Archive.studies`."""
        keys = {
            **dict.fromkeys(_STUDY, ""),
            **query.keys,
            "ModalitiesInStudy": query.modality,
        }
        for told in self._find("STUDY", keys, _STUDY):
            yield Study.of(told)

    def series(self, study: str) -> Iterator[Series]:
        """As `Archive.series`."""
        keys = {"StudyInstanceUID": study, "SeriesInstanceUID": "", "Modality": ""}
        for told in self._find("SERIES", keys, keys):
            if is_uid(told["SeriesInstanceUID"]):
                yield Series(study=study, uid=told["SeriesInstanceUID"], modality=told["Modality"])

    def instances(self, series: Series) -> set[str]:
        """As `Archive.instances`."""
        keys = {
            "StudyInstanceUID": series.study,
            "SeriesInstanceUID": series.uid,
            "SOPInstanceUID": "",
        }
        return {told["SOPInstanceUID"] for told in self._find("IMAGE", keys, keys)}

    def fetch(self, series: Series, store: StoreCallback) -> str:
        """As `Archive.fetch`."""
        identifier = query(
            "SERIES", {"StudyInstanceUID": series.study, "SeriesInstanceUID": series.uid}
        )
        self._store = store
        try:
            if self._connection.port is None:
                answers = self._retriever().send_c_get(identifier, GET)
                return self._complaint("C-GET", answers)
            self._listen()
            answers = self._retriever().send_c_move(identifier, self._connection.title, MOVE)
            return self._complaint("C-MOVE", answers)
        finally:
            self._store = None

    def send(self, files: Iterable[Path]) -> Iterator[StoreOutcome]:
        """As `Archive.send`."""
        stated = {path: stored_as(path) for path in files}
        pairs = sorted({(how.sop_class, how.syntax) for how in stated.values()})
        contexts = [sending_context(*pair) for pair in pairs]
        association = self._open(contexts)
        try:
            for path, how in stated.items():
                for left in reversed(range(_TRIES)):
                    if not association.is_established:
                        association = self._open(contexts)
                    outcome = _send(association, path, how)
                    if outcome is not None:
                        yield outcome
                        break
                    if association.is_established:
                        association.abort()
                    if not left:
                        raise ArchiveError(
                            f"{self._address}: the association was lost {_TRIES} times, at the "
                            "same file"
                        )
        finally:
            if association.is_established:
                association.release()

    def _open(self, contexts: Sequence[PresentationContext], **more: Any) -> Association:
        return associate(self._entity, self._address, self._connection, contexts, **more)

    def _find(
        self, level: str, keys: Mapping[str, str], wanted: Iterable[str]
    ) -> Iterator[dict[str, str]]:
        model, wanted = FIND, tuple(wanted)
        if self._queries is None or not self._queries.is_established:
            self._queries = self._open([build_context(model)])
        answers = []  # all of them: nothing else can be asked on the association meanwhile
        for status, identifier in self._queries.send_c_find(query(level, keys), model):
            if status.get("Status") in _PENDING and identifier is not None:
                answers.append(texts(identifier, wanted))
            elif words := status_words("C-FIND", status):
                raise ArchiveError(f"{self._address}: {words}")
        yield from answers

    def _retriever(self) -> Association:
        if self._retrievals is None or not self._retrievals.is_established:
            if self._connection.port is None:
                get = build_context(GET)
                self._retrievals = self._open(
                    [get, *radiograph_contexts()],
                    roles=[build_role(uid, scp_role=True) for uid in RADIOGRAPHS],
                    handlers=[(evt.EVT_C_STORE, self._take)],
                )
            else:
                move = build_context(MOVE)
                self._retrievals = self._open([move])
        return self._retrievals

    def _listen(self) -> None:
        """Opens the port to which the archive shall send, once."""
        if self._scp is None:
            connection = self._connection
            assert connection.port is not None
            listener = Listener(
                title=connection.title,
                port=connection.port,
                host=connection.host,
                tls=connection.tls,
                timeout=connection.timeout,
            )
            self._scp = self._held.enter_context(StorageScp(listener, self._keep))

    def _keep(self, instance: str, data: bytes) -> None:
        """What was not asked for is not taken, whoever sends it."""
        if self._store is None:
            raise OSError
        self._store(instance, data)

    def _take(self, event: evt.Event) -> int:
        try:
            self._keep(str(event.request.AffectedSOPInstanceUID), event.encoded_dataset())  # type: ignore[union-attr]
        except OSError:
            return 0xA700
        return 0

    def _complaint(self, service: str, answers: Iterator[tuple[Any, Any]]) -> str:
        """The last answer in words.

        Raises:
            ArchiveError: There is none, or the archive does not know where to send.
        """
        words, failed = f"no answer to {service}", 0
        for status, _ in answers:
            failed = int(status.get("NumberOfFailedSuboperations") or 0)
            if status.get("Status") in _PENDING:
                continue
            words = status_words(service, status)
            if "Status" not in status:
                raise ArchiveError(f"{self._address}: {words}; it may take longer (--timeout)")
            if status.Status == 0xA801:
                raise ArchiveError(
                    f"{self._address}: it does not know where to send; it must know us as "
                    f"{self._connection.title}, with this machine and port "
                    f"{self._connection.port}"
                )
        return f"{words}, {failed} failed" if words and failed else words


def _send(association: Association, path: Path, how: StoredAs) -> StoreOutcome | None:
    """Sends one file; None where the association was lost."""
    accepted = {
        (context.abstract_syntax, syntax)
        for context in association.accepted_contexts
        for syntax in context.transfer_syntax
    }
    wanted = sending_context(how.sop_class, how.syntax)
    if not any((wanted.abstract_syntax, syntax) in accepted for syntax in wanted.transfer_syntax):
        name, syntax = getattr(wanted.abstract_syntax, "name", ""), wanted.transfer_syntax[0].name
        return StoreOutcome(
            file=path, stored=False, said=f"the archive takes no {name} as {syntax}"
        )
    try:
        status = association.send_c_store(whole(path))
    except UnsupportedInstance as error:
        return StoreOutcome(file=path, stored=False, said=str(error))
    except (RuntimeError, OSError):  # lost since it was looked at
        return None
    code = status.get("Status")
    if code is None:
        return None
    stored = code == 0 or code in _WARNINGS
    return StoreOutcome(file=path, stored=stored, said=status_words("C-STORE", status))
