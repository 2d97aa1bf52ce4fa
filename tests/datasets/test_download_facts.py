"""Downloads declared by the catalogued data sets."""

import re
from pathlib import Path

import pytest

from bench.datasets.catalog import BUILTIN, definition_of, shared_downloads
from bench.datasets.colorectal import TILES_DOWNLOAD, ColorectalHistology
from bench.datasets.download import Bundle, RemoteFile
from bench.datasets.skin_cancer import PICTURES_DOWNLOAD, SkinCancer

BUNDLES = [
    pytest.param(bundle, id=f"{name} {number}")
    for name in BUILTIN
    for number, bundle in enumerate(definition_of(name).downloads)
]
COLORECTAL = [name for name in BUILTIN if name.startswith("colorectal")]
SKIN = [name for name in BUILTIN if name.startswith("skin-cancer")]


@pytest.mark.parametrize("bundle", BUNDLES)
def test_every_file_has_addresses_and_hashes_of_the_right_form(bundle: Bundle) -> None:
    for file in bundle.files:
        assert file.urls
        for url in file.urls:
            assert re.match(r"https?://[a-z0-9.-]+/|doi:10\.\d{4,}/|kaggle:[\w-]+/[\w-]+/", url)
        assert re.fullmatch(r"[0-9a-f]{64}|", file.sha256)
        assert re.fullmatch(r"[0-9a-f]{32}|", file.md5)
        assert not file.name.startswith(("/", "."))
        # files without a hash come from Kaggle alone, which publishes none
        assert file.is_checked or not file.exact
        if not file.sha256 and not file.md5:
            assert all(url.startswith("kaggle:") for url in file.urls)


def test_every_data_set_that_is_not_bundled_can_be_fetched() -> None:
    assert [name for name in BUILTIN if not definition_of(name).downloads] == ["digits"]


def test_a_shared_folder_is_one_archive_and_no_data_sets_name() -> None:
    kept: dict[str, Bundle] = {}
    for name in BUILTIN:
        for bundle in definition_of(name).downloads:
            if bundle.shared:
                assert kept.setdefault(bundle.shared, bundle) == bundle
    assert kept.keys() == {"emnist", "colorectal-tiles", "ham10000-pictures"}
    assert not kept.keys() & BUILTIN.keys()


def test_every_size_of_the_tissues_is_made_from_the_one_archive_before_its_table() -> None:
    assert len(COLORECTAL) == 6
    for name in COLORECTAL:
        first, *tables = definition_of(name).downloads
        assert first is TILES_DOWNLOAD
        forms = [form.table for form in definition_of(name).forms]  # type: ignore[attr-defined]
        assert [file.name for table in tables for file in table.files] == ([] if "150" in name else forms[:1])
    (archive,) = ColorectalHistology.downloads[0].files
    assert (archive.size, archive.md5) == (258_098_431, "0ddbebfc56344752028fda72602aaade")
    assert archive.urls[1] == "doi:10.5281/zenodo.53169/Kather_texture_2016_image_tiles_5000.zip"


def test_every_size_of_the_lesions_is_fetched_as_its_table_before_all_the_pictures() -> None:
    assert len(SKIN) == 4
    for name in SKIN:
        table, pictures = definition_of(name).downloads
        assert pictures is PICTURES_DOWNLOAD
        form = definition_of(name).forms[0]  # type: ignore[attr-defined]
        assert [file.name for file in table.files] == ["HAM10000_metadata.csv", form.table]


def test_the_pictures_of_lesions_are_dataverses_files_with_its_hashes() -> None:
    # datafile numbers and MD5 as Dataverse's page of doi:10.7910/DVN/DBW86T, version 4.0, has them
    found = {file.name: (file.urls[0].rpartition("/")[2], file.md5) for file in SkinCancer.downloads[1].files}
    assert found == {
        "HAM10000_images_part_1.zip": ("3172585", "4639bfa73ab251610530a97c898e6e46"),
        "HAM10000_images_part_2.zip": ("3172584", "da43d6cc50f6613013be07e8986b384b"),
        "HAM10000_metadata.csv": ("4338392?format=original", "8f85fb1aa29d80a2797247e434deb79d"),
    }


def test_who_shares_a_download_is_told() -> None:
    assert shared_downloads("mnist") == {}
    assert shared_downloads("emnist-letters") == {
        "emnist": ("emnist-balanced", "emnist-digits", "emnist-byclass", "emnist-bymerge", "emnist-mnist")
    }


def test_a_file_without_a_hash_is_held_once_it_is_there_and_never_the_published_one(tmp_path: Path) -> None:
    unknown = RemoteFile("a", ("kaggle:o/n/a",), 0, "", exact=False)
    assert not unknown.is_held_in(tmp_path)
    (tmp_path / "a").write_bytes(b"anything")
    assert unknown.is_held_in(tmp_path)
    assert not unknown.is_published(tmp_path / "a")
