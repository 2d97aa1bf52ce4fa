"""The process that runs kagglehub: ``python -m bench.datasets.kaggle_child HANDLE PATH ANSWER``.

It leaves ``{"path": …}`` or ``{"failure": …}`` in the file ``ANSWER``, and ends when its standard input is closed.
"""

import json
import os
import sys
import threading
from pathlib import Path


def main(handle: str, path: str, answer: str) -> None:
    """Fetch one file, or report why it failed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        import kagglehub

        found = {"path": kagglehub.dataset_download(handle, path)}
    except Exception as error:  # the boundary of this process: its parent gets a message
        found = {"failure": _in_words(error)}
    Path(answer).write_text(json.dumps(found), "utf-8")


def _in_words(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"HTTP status {status}"
    first = (str(error).strip().splitlines() or [""])[0][:200]
    return f"kagglehub says {type(error).__name__}" + (f": {first}" if first else "")


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
