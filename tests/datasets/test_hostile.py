"""Hostile files of each format: 300 mutations, or as many as BENCH_MUTATIONS says.

All formats in one table: ``python -m tests.datasets.hostile``.
"""

import pytest

from tests.datasets.hostile import CAN_RUN, MUTATIONS, NEEDS, Outcome, read_hostile, table

FORMATS = {
    "IDX": False,
    "IDX.gz": False,
    "IDX of integers, gz": False,
    "EMNIST zip": False,
    "npz, stored": False,
    "npz, deflated": False,
    "npz of the user's own": False,
    "CSV with a header": False,
    "CSV.gz": False,
    "CSV in a zip": False,
    "hmnist RGB, gz": False,
    "HAM10000 metadata": False,
    "CSV of the user's own": False,
    "OpenML ARFF": False,
    "TIFF folder": False,
    "TIFF in a zip": False,
    "JPEG folder": False,
    "JPEG in a zip": False,
    "PNG image folder": False,
    "HDF5 vectors": True,
    "HDF5 point clouds": True,
}
"""By name, whether the process that decodes may end; named here, for importing them takes h5py."""


def test_every_format_is_tried() -> None:
    from tests.datasets.hostile_formats import FORMATS as KNOWN

    assert {format.name: format.may_crash for format in KNOWN} == FORMATS


@pytest.mark.slow
@pytest.mark.skipif(not CAN_RUN, reason=NEEDS)
@pytest.mark.parametrize("name", FORMATS)
def test_hostile_files_end_in_words_or_in_right_data(name: str) -> None:
    outcome = read_hostile(name, FORMATS[name])
    print(table([outcome]))
    assert outcome.faults == []
    assert outcome.count == MUTATIONS
    assert outcome.data > 0 or MUTATIONS < 100, "nothing was read as data"
    assert outcome.words > 0, "everything was read as data: nothing is harmed"
    assert outcome.last > 0.1 * outcome.count, "too few reached the last stage to say anything of it"


def test_the_table_gives_counts_and_shares() -> None:
    outcome = Outcome("IDX", data=30, words=69, crashed=1, last=40, content=50, content_last=35, most_kib=2048)
    assert table([outcome]).splitlines()[1].split() == [
        *("IDX", "100", "30", "69", "1", "40%", "70%", "0.0", "2.0", "0.0"),
    ]
