"""A DICOMweb service as an archive: QIDO-RS, WADO-RS and STOW-RS (PS3.18 10.4 to 10.6)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import requests
from dicomweb_client import DICOMwebClient
from requests.auth import AuthBase, HTTPBasicAuth

from latentdp.archives.address import WebService
from latentdp.archives.archive import Series, StoreCallback, StoreOutcome, Study, is_uid
from latentdp.archives.connection import Connection
from latentdp.archives.credentials import Credentials
from latentdp.archives.study_filter import StudyQuery
from latentdp.data.dicom.messages import (
    encoded,
    failed_instances,
    stored_as,
    texts_of_json,
    whole,
)
from latentdp.errors import ArchiveError, UnsupportedInstance

__all__ = ["WebArchive"]

logging.getLogger("dicomweb_client").addHandler(logging.NullHandler())  # its lines name UIDs

_PAGE = 500  # results that are asked for at once
_BATCH, _BATCH_BYTES = 50, 32 * 2**20  # of files that are sent in one request
_ANY_SYNTAX = (("application/dicom", "*"),)  # as they are stored
_STUDY = ("StudyInstanceUID", "PatientID", "AccessionNumber", "StudyDate")
_ATTEMPTS = 3  # at a request, some seconds apart
_STRANGE = "its answer is not one of DICOMweb"
_REASONS = {  # PS3.4 I.2.2, PS3.18 10.5.3
    0x0110: "processing failure",
    0x0122: "its SOP class is not supported",
    0x0124: "not authorised",
    0xA700: "out of resources",
    0xA900: "it does not match its SOP class",
    0xC000: "it cannot be understood",
    0xC122: "its transfer syntax is not supported",
}


class WebArchive:
    """Keeps one session.

    Args:
        address: Of the service.
        connection: How to speak to it.
    """

    def __init__(self, address: WebService, connection: Connection) -> None:
        self._address = address
        self._session = _session(connection)
        self._answers: list[requests.Response] = []
        self._client = DICOMwebClient(
            address.url,
            session=self._session,
            callback=self._note,
            timeout=connection.timeout,
            permissive_uid=True,
        )
        self._client.set_http_retry_params(max_attempts=_ATTEMPTS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def studies(self, query: StudyQuery) -> Iterator[Study]:
        """As `Archive.studies`."""
        filters = dict(query.keys) | {"ModalitiesInStudy": query.modality}
        pages = self._pages("StudyInstanceUID", self._client.search_for_studies, filters, _STUDY)
        for answer in pages:
            yield Study.of(texts_of_json(answer, _STUDY))

    def series(self, study: str) -> Iterator[Series]:
        """As `Archive.series`."""
        wanted = ("SeriesInstanceUID", "Modality")

        def search(**page: Any) -> list[dict[str, dict[str, Any]]]:
            return self._client.search_for_series(study, **page)

        for answer in self._pages("SeriesInstanceUID", search, {}, wanted):
            told = texts_of_json(answer, wanted)
            if is_uid(told["SeriesInstanceUID"]):
                yield Series(study=study, uid=told["SeriesInstanceUID"], modality=told["Modality"])

    def instances(self, series: Series) -> set[str]:
        """As `Archive.instances`."""

        def search(**page: Any) -> list[dict[str, dict[str, Any]]]:
            return self._client.search_for_instances(series.study, series.uid, **page)

        pages = self._pages("SOPInstanceUID", search, {}, ("SOPInstanceUID",))
        return {texts_of_json(answer, ["SOPInstanceUID"])["SOPInstanceUID"] for answer in pages}

    def fetch(self, series: Series, store: StoreCallback) -> str:
        """As `Archive.fetch`."""
        try:
            with self._spoken():
                for dataset in self._client.iter_series(
                    series.study, series.uid, media_types=_ANY_SYNTAX
                ):
                    store(str(dataset.get("SOPInstanceUID", "")), encoded(dataset))
        except UnsupportedInstance as error:
            return str(error)
        except ArchiveError as error:
            if self._answers and self._answers[-1].status_code in (404, 406, 410):
                return str(error)  # of this series alone
            raise
        return ""

    def send(self, files: Iterable[Path]) -> Iterator[StoreOutcome]:
        """As `Archive.send`."""
        for batch in _batches(files):
            yield from self._send(batch)

    def _send(self, files: Sequence[Path]) -> Iterator[StoreOutcome]:
        """One request; where all of it is refused, one for each file, to know which."""
        try:
            with self._spoken():
                self._client.store_instances([whole(path) for path in files])
                failed = failed_instances(_acknowledgement(self._answers[-1]))
        except ArchiveError as error:
            answer = self._answers[-1] if self._answers else None
            if answer is None or answer.status_code not in (400, 409, 413, 415, 422):
                raise
            if len(files) > 1:
                for path in files:
                    yield from self._send([path])
                return
            refused = failed_instances(_json(answer) or {})
            said = _reason(next(iter(refused.values()))) if refused else str(error)
            yield StoreOutcome(file=files[0], stored=False, said=said)
            return
        for path in files:
            reason = failed.get(stored_as(path).instance)
            yield StoreOutcome(
                file=path, stored=reason is None, said="" if reason is None else _reason(reason)
            )

    def _pages(
        self,
        key: str,
        search: Callable[..., list[dict[str, dict[str, Any]]]],
        filters: Mapping[str, str],
        wanted: Sequence[str],
    ) -> Iterator[Mapping[str, Any]]:
        """All results, page by page, until one brings nothing new: some ignore the offset."""
        seen: set[str] = set()
        at = 0
        while True:
            with self._spoken():
                page = search(
                    limit=_PAGE, offset=at, fields=list(wanted), search_filters=dict(filters)
                )
                new = {texts_of_json(answer, [key])[key]: answer for answer in page}
            fresh = [answer for uid, answer in new.items() if uid and uid not in seen]
            yield from fresh
            seen |= new.keys()
            at += len(page)
            if not fresh:
                return

    def _note(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self._answers = [response]

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        """What goes wrong between us and the service, in one line."""
        self._answers = []
        try:
            yield
        except requests.HTTPError as error:
            code = 0 if error.response is None else error.response.status_code
            words = {
                401: "it wants other credentials (--credentials, LATENTDP_CREDENTIALS)",
                403: "these credentials may not do that",
                404: "there is no such service, or what was asked for is gone",
            }.get(code, "it refused")
            raise ArchiveError(f"{self._address}: {words} (HTTP {code})") from None
        except requests.exceptions.SSLError as error:
            raise ArchiveError(
                f"{self._address}: no TLS came about; trust its certificate with --tls-ca"
                + (" and show ours with --tls-cert" if "ALERT" in str(error).upper() else "")
            ) from None
        except requests.exceptions.InvalidJSONError:
            raise ArchiveError(f"{self._address}: {_STRANGE}") from None
        except requests.Timeout:
            raise ArchiveError(f"{self._address}: no answer in time (--timeout)") from None
        except (requests.RequestException, OSError) as error:
            raise ArchiveError(
                f"{self._address}: no connection, or it was lost{_said_by_system(error)}"
            ) from None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise ArchiveError(f"{self._address}: {_STRANGE}") from None


def _said_by_system(error: BaseException | None) -> str:
    """What lies at the bottom of it, such as an unknown name or a refused connection."""
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            return f" ({error.strerror})"
        error = error.__cause__ or error.__context__
    return ""


class _Nobody(AuthBase):
    """No credentials, not even those that a file of curl's (.netrc) has for the machine."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Bearer(AuthBase):
    """A token, for the service alone: a redirection to another host does not get it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _session(connection: Connection) -> requests.Session:
    session = requests.Session()
    session.headers["Accept"] = "application/dicom+json"  # of an answer to STOW
    session.auth = _authentication(connection.credentials)
    tls = connection.tls
    if tls is not None and tls.authority is not None:
        session.verify = str(tls.authority)
    if tls is not None and tls.certificate is not None:
        key = tls.key or tls.certificate
        session.cert = (str(tls.certificate), str(key))
    return session


def _authentication(credentials: Credentials | None) -> AuthBase:
    if credentials is None:
        return _Nobody()
    if credentials.scheme == "bearer":
        return _Bearer(credentials.secret)
    user, _, password = credentials.secret.partition(":")
    return HTTPBasicAuth(user.encode(), password.encode())


def _batches(files: Iterable[Path]) -> Iterator[list[Path]]:
    batch: list[Path] = []
    size = 0
    for path in files:
        length = path.stat().st_size
        if batch and (len(batch) == _BATCH or size + length > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += length
    if batch:
        yield batch


def _acknowledgement(answer: requests.Response) -> Mapping[str, Any]:
    """What a service that says success tells of what it stored, PS3.18 10.5.3.

    Raises:
        ValueError: It is no answer to STOW, as the page of a proxy that wants a login is none.
    """
    values = _json(answer)
    if values is not None:
        return values
    xml = answer.headers.get("Content-Type", "").startswith("application/dicom+xml")
    if answer.status_code == 200 and (xml or not answer.content):  # all were stored
        return {}
    raise ValueError(answer.status_code)


def _json(answer: requests.Response) -> Mapping[str, Any] | None:
    """The body of an answer; None for one that is no object of JSON."""
    try:
        values = json.loads(answer.content)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _reason(code: int) -> str:
    words = _REASONS.get(code) or _REASONS.get(code & 0xFF00) or "it was refused"
    return f"STOW failure 0x{code:04X}: {words}" if code else f"STOW failure: {words}"
