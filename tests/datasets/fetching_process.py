"""A process of its own that looks for a small data set on one mirror: ``python -m … FILES ADDRESS``.

``FILES`` is the folder of the published files: their names, sizes and hashes are what the process knows of them.
Prints the fingerprint and whether it is verified.
"""

import hashlib
import sys
from pathlib import Path

from bench.datasets.download import Bundle, RemoteFile
from bench.datasets.search import Search
from tests.datasets.small import Tiny


def main(files: str, address: str) -> None:
    contents = {file.name: file.read_bytes() for file in sorted(Path(files).iterdir())}
    remote = tuple(
        RemoteFile(name, (f"{address}/{name}",), len(content), hashlib.sha256(content).hexdigest())
        for name, content in contents.items()
    )
    fetched = type("Fetched", (Tiny,), {"downloads": (Bundle(remote),)})()
    info = Search(fetched, None, False, lambda line: print(line, file=sys.stderr)).run().info
    print(info.fingerprint, info.verified)


if __name__ == "__main__":
    main(*sys.argv[1:])
