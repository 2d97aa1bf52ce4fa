"""Fetch a file by HTTP address, or by DOI through its repository, with pooch in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from http.client import IncompleteRead
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import __version__
from bench.datasets.download import DOI, RemoteFile
from bench.datasets.transfer import TransferFailed

if TYPE_CHECKING:
    import requests

TIMEOUT_S = 15.0
"""Seconds without a byte before a mirror is given up."""
CHUNK = 1 << 14
REDIRECTS = 8
HEADERS = {
    # Zenodo answers 403 to programs that claim to be a browser, not to those that name themselves
    "User-Agent": f"bench-mnist/{__version__}",
    # a published hash is of the file as stored
    "Accept-Encoding": "identity",
}


class HttpCarrier:
    """Starts at once, in a daemon thread: a hanging system call does not block exit."""

    patience = 1.0

    def __init__(self, url: str, file: RemoteFile, folder: Path) -> None:
        import pooch
        import requests  # noqa: F401  # here, or a busy machine's time for it would count as the mirror's

        pooch.get_logger().setLevel(logging.ERROR)
        self._url, self._file, self._folder = url, file, folder
        self.size = file.size if file.is_checked else 0
        self.received = 0
        self._failure: TransferFailed | None = None
        self._unwanted = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def ended(self, within_s: float) -> bool:
        """See ``Carrier``."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End the thread at the next chunk, if any."""
        self._unwanted = True

    def file(self) -> Path:
        """See ``Carrier``."""
        if self._failure is not None:
            raise self._failure
        return self._folder / self._file.name

    def _run(self) -> None:
        import pooch

        try:
            pooch.retrieve(
                self._url, known_hash=None, fname=self._file.name, path=self._folder, downloader=self._download
            )
        except TransferFailed as failure:
            self._failure = failure
        except Exception as error:  # any error: the next mirror is tried, and a thread has no caller to raise to
            self._failure = TransferFailed(in_words(error))

    def _download(self, url: str, output_file: str, _: object) -> None:
        """A pooch downloader: saves the file at ``url`` as ``output_file``."""
        import requests

        address = _address_of(url) if url.startswith(f"{DOI}:") else url
        with requests.Session() as session:
            session.max_redirects = REDIRECTS
            with session.get(address, stream=True, timeout=TIMEOUT_S, headers=HEADERS) as answer:
                answer.raise_for_status()
                self._store(answer, Path(output_file))

    def _store(self, answer: requests.Response, to: Path) -> None:
        encoded = "Content-Encoding" in answer.headers
        offered = 0 if encoded else int(answer.headers.get("Content-Length") or 0)
        expected = self.size or offered
        from_html = answer.headers.get("Content-Type", "").startswith("text/html")
        if offered != expected and offered and not from_html:  # a web page is reported as one
            raise TransferFailed(f"it offers {offered:,} bytes, {expected:,} expected")
        self.size = expected
        with to.open("wb") as out:
            for piece in self._pieces(answer):
                out.write(piece)
                self.received += len(piece)
                if self._unwanted:
                    raise TransferFailed("given up")
                if expected and self.received > expected and not from_html:
                    raise TransferFailed(f"it sends more than the {expected:,} bytes expected")
        if self.received < expected and not from_html:
            raise TransferFailed(_broken_off(self.received, expected))

    def _pieces(self, answer: requests.Response) -> Iterator[bytes]:
        import urllib3

        try:
            # some servers call a stored .gz an encoding of something else: keep it as it is
            yield from answer.raw.stream(CHUNK, decode_content=not self._file.name.endswith(".gz"))
        except urllib3.exceptions.ProtocolError as error:
            cut = next((cause for cause in error.args if isinstance(cause, IncompleteRead)), None)
            received: object = cut and cut.partial  # urllib3's is a byte count, the standard library's the bytes
            if isinstance(received, int):
                raise TransferFailed(_broken_off(received, self.size)) from error
            raise


def _broken_off(received: int, expected: int) -> str:
    return f"it broke off after {received:,} of {expected:,} bytes"


def _address_of(doi: str) -> str:
    """Address of the file ``doi:<DOI>/<file>`` in its repository."""
    from pooch.downloaders import doi_to_repository

    identifier, _, name = doi.removeprefix(f"{DOI}:").rpartition("/")
    repository: Any = doi_to_repository(identifier, headers=HEADERS, timeout=TIMEOUT_S)
    address: str = repository.download_url(name)
    return address


def in_words(error: Exception) -> str:
    """A mirror's error, of requests, urllib3, pooch or the system, as a message."""
    import requests
    import urllib3

    if isinstance(error, requests.HTTPError):
        return f"HTTP status {error.response.status_code}" if error.response is not None else "HTTP error"
    if isinstance(error, requests.TooManyRedirects):
        return f"it redirects more than {REDIRECTS} times"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return f"no answer within {TIMEOUT_S:g} s"
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, urllib3.exceptions.ProtocolError) and error.args:
        return f"the transfer broke off ({type(error.args[-1]).__name__})"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
        return f"the file could not be written ({error.strerror or type(error).__name__})"
    return f"the transfer failed ({type(error).__name__})"
