"""A file is there in whole or not at all, a line as well, whatever stops the writing."""

import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

import bench.durable
from bench.durable import append_line, write_text_whole, write_whole

ROOT = Path(bench.durable.__file__).parents[1]


def test_a_file_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    for text in ("first, and longer", "zweite, größer"):
        write_text_whole(path, text)
        assert path.read_bytes() == text.encode()
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_on_the_way_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("before")

    def fail(file: IO[bytes]) -> None:
        file.write(b"half")
        raise KeyError("depth")

    with pytest.raises(KeyError, match="depth"):
        write_whole(path, fail)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_line_follows_the_last_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    for torn in (b"", b"to", b"torn"):
        with path.open("ab") as file:
            file.write(torn)
        append_line(path, b"line\n")
    assert path.read_bytes() == b"line\nline\nline\n"


def test_a_line_that_the_disk_takes_in_part_is_taken_back(tmp_path: Path) -> None:
    """No file of the other process may grow beyond 12 bytes, so that of the second line 4 are written."""
    resource = pytest.importorskip("resource", reason="Unix limits what a process may write")
    path = tmp_path / "lines"
    code = (
        "import sys; from pathlib import Path; from bench.durable import append_line\n"
        "append_line(Path(sys.argv[1]), b'seven..\\n')\n"
        "try: append_line(Path(sys.argv[1]), b'seven..\\n')\n"
        "except OSError as error: print(error.strerror)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (12, 12)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "the disk took only a part of it\n"
    assert path.read_bytes() == b"seven..\n"
