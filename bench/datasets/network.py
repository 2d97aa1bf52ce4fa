"""Probe whether hosts can be reached: once per process, all at once.

Without a network, this fails within seconds rather than after a timeout for each mirror.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

PROBE_S = 0.8
"""Seconds an address has to accept a connection; a host with two addresses has time for both."""

_probed: dict[str, bool] = {}
_probing = threading.Lock()


def probe(urls: Iterable[str]) -> frozenset[str]:
    """The origins (``https://host``) among ``urls`` that accept a connection, asked once per process.

    All are asked at once. A proxy named by the environment is asked in place of the hosts behind it. Takes at most
    about twice ``PROBE_S``, even if name resolution hangs.
    """
    wanted = {origin_of(url) for url in urls}
    with _probing:
        asked = [
            threading.Thread(target=_connect, args=(origin,), daemon=True)  # one that hangs must not block exit
            for origin in wanted - _probed.keys()
        ]
        for thread in asked:
            thread.start()
        deadline = time.monotonic() + 2.2 * PROBE_S
        for thread in asked:
            thread.join(max(0.0, deadline - time.monotonic()))
        for origin in wanted:
            _probed.setdefault(origin, False)
        return frozenset(origin for origin in wanted if _probed[origin])


def origin_of(url: str) -> str:
    """``https://host`` of ``https://host/path``."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _connect(origin: str) -> None:
    from urllib.request import getproxies, proxy_bypass

    target = urlsplit(origin)
    proxy = getproxies().get(target.scheme)
    if proxy and not proxy_bypass(target.hostname or ""):
        target = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    port = target.port or (443 if target.scheme == "https" else 80)
    try:
        socket.create_connection((target.hostname or "", port), timeout=PROBE_S).close()
    except OSError:
        _probed.setdefault(origin, False)
    else:
        _probed.setdefault(origin, True)
