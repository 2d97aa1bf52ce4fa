"""Data without known fingerprints, verified by the published hashes of their files, and an archive that six share."""

import hashlib
from pathlib import Path

import pytest

from bench.datasets.cache import cache_root
from bench.datasets.definition import DatasetDefinition
from bench.datasets.download import Bundle, RemoteFile
from bench.datasets.emnist import EmnistDigits, EmnistLetters
from bench.datasets.search import Search
from bench.datasets.source import DatasetUnavailable
from tests.datasets.small import Tiny, write_idx
from tests.datasets.small_emnist import digits_split, lay, letters, zipped
from tests.datasets.test_download import nothing, remote, served

__all__ = ["served"]
Served = tuple[Path, str, list[str]]


def with_downloads(definition: type[DatasetDefinition], *files: RemoteFile) -> DatasetDefinition:
    fetched: DatasetDefinition = type(
        "Fetched",
        (definition,),
        {"downloads": (Bundle(files, definition.downloads[0].shared if definition.downloads else ""),)},
    )()
    return fetched


def test_what_is_fetched_with_the_published_hashes_is_verified_and_found_again_offline(served: Served) -> None:
    folder, address, asked = served
    write_idx(folder)
    tiny = with_downloads(Tiny, *(remote(file, address) for file in sorted(folder.iterdir())))
    cached = Search(tiny, None, False, nothing).run()
    assert cached.info.verified
    assert Search(tiny, None, True, nothing).run() == cached
    assert len(asked) == 4


def test_files_with_the_published_hashes_are_verified_wherever_they_lie(tmp_path: Path) -> None:
    folder = write_idx(tmp_path / "data")
    tiny = with_downloads(Tiny, *(remote(file, "http://192.0.2.1") for file in sorted(folder.iterdir())))
    assert Search(tiny, folder, True, nothing).run().info.verified


def test_the_same_data_in_files_of_other_hashes_are_verified_once_the_published_ones_were_seen(tmp_path: Path) -> None:
    published = write_idx(tmp_path / "published")
    plain = write_idx(tmp_path / "plain", zipped=False)
    tiny = with_downloads(Tiny, *(remote(file, "http://192.0.2.1") for file in sorted(published.iterdir())))
    assert not Search(tiny, plain, True, nothing).run().info.verified
    Search(tiny, published, True, nothing).run()
    assert Search(tiny, plain, True, nothing).run().info.verified


def test_one_file_of_another_hash_verifies_nothing(tmp_path: Path) -> None:
    folder = write_idx(tmp_path / "data")
    files = [remote(file, "http://192.0.2.1") for file in sorted(folder.iterdir())]
    write_idx(folder, seed=9)
    assert not Search(with_downloads(Tiny, *files), folder, True, nothing).run().info.verified


def test_a_file_of_which_only_the_md5_is_published_is_fetched_and_verified(served: Served) -> None:
    folder, address, _ = served
    write_idx(folder)
    files = [
        RemoteFile(
            file.name, (f"{address}/{file.name}",), file.stat().st_size, "", hashlib.md5(file.read_bytes()).hexdigest()
        )
        for file in sorted(folder.iterdir())
    ]
    assert Search(with_downloads(Tiny, *files), None, False, nothing).run().info.verified


def test_a_wrong_md5_is_said_to_be_one(served: Served) -> None:
    folder, address, _ = served
    lay(folder, {"a": b"wrong"})
    tiny = with_downloads(Tiny, RemoteFile("a", (f"{address}/a",), 5, "", "0" * 32))
    with pytest.raises(DatasetUnavailable, match=r"differs from the published one \(MD5\)"):
        Search(tiny, None, False, nothing).run()


def test_the_archive_is_fetched_once_for_all_splits_and_stays_packed(served: Served) -> None:
    folder, address, asked = served
    archive = lay(folder, {"gzip.zip": zipped(letters() | digits_split())}) / "gzip.zip"
    first = Search(with_downloads(EmnistLetters, remote(archive, address)), None, False, nothing).run()
    again = with_downloads(EmnistDigits, remote(archive, address))
    assert [place.label for _, place in Search(again, None, True, nothing).seen()] == ["fetched before"]
    second = Search(again, None, True, nothing).run()
    assert (first.info.verified, second.info.verified, asked) == (True, True, ["/gzip.zip"])
    assert second.info.source == "NIST's archive, fetched before"
    assert [file.name for file in (cache_root() / "downloads" / "emnist").iterdir()] == ["gzip.zip"]


def test_what_is_published_of_emnist_is_one_archive_with_its_hash() -> None:
    (archive,) = EmnistLetters.downloads[0].files
    assert (archive.size, archive.sha256) == (
        561_753_746,
        "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
    )
