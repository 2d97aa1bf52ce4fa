"""Licences that do not allow every use, in front of a mirror that would give the data at once."""

import json
from pathlib import Path

import pytest

from bench.datasets.cache import cache_root
from bench.datasets.catalog import DATASETS, definition_of
from bench.datasets.definition import DatasetDefinition
from bench.datasets.download import Bundle
from bench.datasets.licences import LicenceNotAccepted, accept, is_accepted
from bench.datasets.search import Search
from bench.datasets.source import DatasetUnavailable
from bench.errors import BenchError
from tests.datasets.mirrors import serving
from tests.datasets.small import Tiny, write_idx
from tests.datasets.test_download import nothing, remote


def restricted(address: str, files: Path) -> DatasetDefinition:
    bundle = Bundle(tuple(remote(file, address) for file in sorted(files.iterdir())))
    facts = {"downloads": (bundle,), "restricted": True, "licence": "CC BY-NC 4.0"}
    made: DatasetDefinition = type("Restricted", (Tiny,), facts)()
    return made


def test_nothing_is_fetched_before_the_licence_is_acknowledged_once(tmp_path: Path) -> None:
    files = write_idx(tmp_path / "served")
    with serving(files) as (address, asked):
        tiny = restricted(address, files)
        with pytest.raises(LicenceNotAccepted) as caught:
            Search(tiny, None, False, nothing).run()
        assert asked == []
        assert str(caught.value) == (
            "data set 'tiny' is not on this machine, and its licence must be acknowledged before it is fetched: "
            "CC BY-NC 4.0.\n    To acknowledge it, once: bench data fetch tiny --accept-licence"
            "   or, with files you have, add: --data-dir DIR"
        )
        accept(tiny)
        assert Search(tiny, None, False, nothing).run().info.verified
        assert len(asked) == 4
    assert json.loads((cache_root() / "licences.json").read_text("utf-8")) == ["Tiny: CC BY-NC 4.0"]


def test_a_run_takes_it_for_unavailable() -> None:
    assert issubclass(LicenceNotAccepted, DatasetUnavailable)


def test_files_one_has_need_no_acknowledgement(tmp_path: Path) -> None:
    files = write_idx(tmp_path / "mine")
    assert Search(restricted("http://192.0.2.1", files), files, False, nothing).run().info.train_rows == 20
    assert not (cache_root() / "licences.json").exists()


def test_a_licence_that_changed_is_asked_for_anew(tmp_path: Path) -> None:
    tiny = restricted("http://192.0.2.1", write_idx(tmp_path / "files"))
    accept(tiny)
    assert is_accepted(tiny)
    changed: DatasetDefinition = type("Changed", (type(tiny),), {"licence": "CC BY-NC-ND 4.0"})()
    assert not is_accepted(changed)


def test_what_was_accepted_before_stays_accepted_and_a_damaged_note_asks_again(tmp_path: Path) -> None:
    first = restricted("http://192.0.2.1", write_idx(tmp_path / "files"))
    second: DatasetDefinition = type("Second", (type(first),), {"title": "Second"})()
    accept(first)
    accept(second)
    assert is_accepted(first)
    (cache_root() / "licences.json").write_text("{")
    assert not is_accepted(first)


def test_where_it_cannot_be_kept_that_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(BenchError, match="that the licence is accepted cannot be kept"):
        accept(restricted("http://192.0.2.1", write_idx(tmp_path / "files")))


def test_all_sizes_of_one_data_set_share_one_acknowledgement() -> None:
    accept(definition_of("skin-cancer-mnist"))
    waiting = [name for name in DATASETS if not is_accepted(definition_of(name))]
    assert waiting == []


def test_every_licence_that_forbids_commercial_use_must_be_acknowledged() -> None:
    forbidding = {name for name in DATASETS if "NC" in definition_of(name).licence}
    assert forbidding == {name for name in DATASETS if definition_of(name).restricted}
    assert len(forbidding) == 4
