"""kagglehub itself, against a fake of the part of Kaggle's API that it uses."""

import base64
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from bench.datasets import kaggle, transfer
from bench.datasets.download import Bundle, RemoteFile, host_of, kaggle_file, page_of
from bench.datasets.fetch import DownloadFailed, fetch
from bench.datasets.mnist_3d import Mnist3d
from bench.datasets.sign_language import SignLanguage
from bench.datasets.skin_cancer import SkinCancer
from tests.datasets.mirrors import CONTENT, Handler, serving
from tests.datasets.test_download import nothing

pytest.importorskip("kagglehub")
ROOT = Path(__file__).parents[2]
HANDLE = "somebody/digits/versions/3"
DOWNLOAD = "/api/v1/datasets.DatasetApiService/DownloadDataset"
REDIRECT_KAGGLE = """
import kagglesdk.kaggle_env as environment
environment._env_to_endpoint[environment.KaggleEnv.LOCAL] = {address!r}
"""


class FakeKaggle(Handler):
    """Redirects a request for a file to the file's address, as Kaggle does."""

    requests: list[dict[str, object]]

    def do_POST(self) -> None:  # noqa: N802  # the name that the library calls
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.requests.append(asked)
        if self.path != DOWNLOAD or asked.get("datasetSlug") == "absent":
            self.send_error(404)
        elif asked["datasetSlug"] == "private":
            self.send_error(403)
        elif asked["datasetSlug"] == "silence":
            self.stop.wait(60)
        else:
            way = asked["datasetSlug"]
            packed = ".zip" if way == "packed" else ""
            self.send_response(302)
            self.send_header("Location", f"/{way}/{asked['fileName']}{packed}")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def give_packed(self) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("data.bin", CONTENT)
        self.head(200, len(packed.getvalue()))
        self.wfile.write(packed.getvalue())

    def give_corrupt(self) -> None:
        digest = base64.b64encode(hashlib.md5(b"other").digest()).decode()
        self.send_response(200)
        self.send_header("x-goog-hash", f"md5={digest}")
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)


@pytest.fixture
def requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, object]]]:
    """Requests to the fake; kagglehub is directed to it."""
    (tmp_path / "data.bin").write_bytes(CONTENT)
    asked: list[dict[str, object]] = []
    with serving(tmp_path, type("Fake", (FakeKaggle,), {"requests": asked})) as (address, _):
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "sitecustomize.py").write_text(REDIRECT_KAGGLE.format(address=address))
        monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}")
        monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
        for name in ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_KERNEL_RUN_TYPE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(kaggle, "ORIGIN", address)
        yield asked


def get(slug: str, folder: Path) -> str:
    return fetch(Bundle((kaggle_file(f"somebody/{slug}/versions/3", "data.bin"),)), folder, nothing)


@pytest.mark.parametrize("slug", ["good", "packed"])
def test_one_file_of_a_pinned_version_is_fetched_plain_or_packed_and_nothing_else_stays(
    requests: list[dict[str, object]], tmp_path: Path, slug: str
) -> None:
    assert get(slug, tmp_path / "got") == f"kaggle.com/somebody/{slug}"
    assert [file.name for file in (tmp_path / "got").iterdir()] == ["data.bin"]
    assert (tmp_path / "got" / "data.bin").read_bytes() == CONTENT
    expected = {"ownerSlug": "somebody", "datasetSlug": slug, "fileName": "data.bin", "datasetVersionNumber": "3"}
    assert {name: str(requests[0][name]) for name in expected} == expected
    assert len(requests) == 1
    assert not (tmp_path / "home" / ".cache" / "kagglehub").exists()


def test_its_failures_are_said_in_words_and_the_next_mirror_is_asked(
    requests: list[dict[str, object]], tmp_path: Path
) -> None:
    for slug, words in {
        "absent": "HTTP status 404",
        "private": "HTTP status 403",
        "page": "it sends a web page instead of the file",
        "corrupt": "kagglehub says DataCorruptionError",
        "cut": "kagglehub says ChunkedEncodingError",
    }.items():
        with pytest.raises(DownloadFailed) as caught:
            get(slug, tmp_path / "got")
        (failure,) = caught.value.failures
        assert failure.startswith(f"kaggle.com/somebody/{slug}: {words}")
        assert list((tmp_path / "got").iterdir()) == []


def commands_of_children() -> list[str]:
    """Every word of the commands of this process's children, which include tests of other modules."""
    words: list[str] = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # it has ended meanwhile
            words += child.cmdline()
    return words


@pytest.mark.parametrize("slug", ["silence", "trickle"])
def test_one_that_waits_for_ever_is_ended(
    requests: list[dict[str, object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slug: str
) -> None:
    monkeypatch.setattr(transfer, "WINDOW_S", 0.5)
    with pytest.raises(DownloadFailed, match=rf"somebody/{slug}: too slow: "):
        get(slug, tmp_path / "got")
    assert kaggle.CHILD not in commands_of_children()


def test_a_file_with_a_hash_of_another_copy_is_checked_only_where_it_must_be_exact(
    requests: list[dict[str, object]], tmp_path: Path
) -> None:
    soft = kaggle_file("somebody/good", "data.bin", 5, "0" * 64)
    hard = RemoteFile("data.bin", (f"kaggle:{HANDLE.replace('digits', 'good')}/data.bin",), len(CONTENT), "0" * 64)
    with pytest.raises(DownloadFailed, match="differs from the published one"):
        fetch(Bundle((hard,)), tmp_path / "hard", nothing)
    pinned = RemoteFile(soft.name, hard.urls, soft.size, soft.sha256, exact=False)
    fetch(Bundle((pinned,)), tmp_path / "soft", nothing)
    assert not pinned.is_published(tmp_path / "soft" / "data.bin")


def test_without_kagglehub_that_mirror_fails_in_words(
    requests: list[dict[str, object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kaggle, "find_spec", lambda name: None)
    with pytest.raises(DownloadFailed, match="kagglehub is needed: pip install kagglehub"):
        get("good", tmp_path / "got")
    assert requests == []


@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX systems do")
def test_the_process_of_kagglehub_ends_with_the_one_that_is_killed(
    requests: list[dict[str, object]], tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from bench.datasets import kaggle; "
        "from bench.datasets.download import kaggle_file; "
        "kaggle.KaggleCarrier('kaggle:somebody/silence/versions/3/data.bin', kaggle_file('a/b', 'data.bin'), "
        f"Path({str(tmp_path)!r})); print('begun', flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    parent.stdout.readline()
    (child,) = psutil.Process(parent.pid).children()
    end = time.monotonic() + 120
    while not requests:
        assert time.monotonic() < end
        time.sleep(0.02)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    gone, alive = psutil.wait_procs([child], timeout=60)
    assert (len(gone), alive) == (1, [])


def test_what_is_asked_of_kaggle_is_what_the_readers_look_for() -> None:
    files = [file for one in (Mnist3d, SignLanguage, SkinCancer) for file in one.downloads[0].files]
    assert [file.name for file in files] == [
        "full_dataset_vectors.h5",
        "sign_mnist_train.csv",
        "sign_mnist_test.csv",
        "HAM10000_metadata.csv",
        "hmnist_28_28_RGB.csv",
    ]
    assert {host_of(file.urls[0]) for file in files} == {
        "kaggle.com/daavoo/3d-mnist",
        "kaggle.com/datamunge/sign-language-mnist",
        "kaggle.com/kmader/skin-cancer-mnist-ham10000",
    }
    assert page_of(files[1].urls[0]) == "https://www.kaggle.com/datasets/datamunge/sign-language-mnist"
