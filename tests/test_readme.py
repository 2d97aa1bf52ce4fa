"""What the README shows is what the harness does."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BENCH = [sys.executable, "-m", "bench"]


def test_the_table_is_the_report_on_the_committed_reference_run() -> None:
    found = re.search(r"<!-- begin: bench report (.*?) -->\n(.*?)<!-- end -->", README, re.DOTALL)
    assert found is not None
    arguments, table = found.groups()
    printed = subprocess.run([*BENCH, "report", *arguments.split()], cwd=ROOT, capture_output=True, check=True).stdout
    assert table.encode() == printed


def test_the_reference_run_shows_all_three_frameworks_on_real_data() -> None:
    from bench.store import RunFolder

    records = RunFolder.open(ROOT / "results" / "reference" / "quick").records()
    seen = {(record.case.dataset, record.case.framework) for record in records if record.status == "ok"}
    expected = {
        (data, framework)
        for data in ("mnist", "fashion-mnist")
        for framework in ("pytorch", "keras-tensorflow", "scikit-learn")
    }
    assert expected <= seen


def test_every_file_the_readme_points_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).is_file(), link


def test_the_picture_of_the_data_sets_is_small_and_shows_only_what_may_be_shown() -> None:
    from PIL import Image

    from bench.datasets.catalog import definition_of

    shown = re.search(r"^bench data show (.*) --png datasets.png$", README, re.MULTILINE)
    assert shown is not None
    assert [name for name in shown[1].split() if definition_of(name).restricted] == []
    picture = ROOT / "results" / "reference" / "datasets.png"
    assert picture.stat().st_size < 150_000
    strips = len(shown[1].split())
    with Image.open(picture) as image:  # ten pictures of 84 pixels in a row, one row for each data set
        assert image.width == 8 + 10 * (84 + 8)
        assert strips * 110 < image.height < strips * 180


def test_every_bench_command_of_the_readme_is_one() -> None:
    named = {line.split()[1] for line in README.splitlines() if re.match(r"bench [a-z]", line)}
    assert {"run", "report", "list", "data"} <= named
    for command in named:
        subprocess.run([*BENCH, command, "--help"], cwd=ROOT, capture_output=True, check=True)


def test_the_model_of_ones_own_runs_as_printed(tmp_path: Path) -> None:
    if find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    code = next(block for block in blocks if block.startswith("# net.py"))
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    (tmp_path / "net.py").write_text(code)
    command = "run --model ./net.py:Wide --framework torch --dataset digits --seeds 1 --epochs 1"
    done = subprocess.run(
        [*BENCH, *command.split()],
        cwd=tmp_path,
        env={**os.environ, "BENCH_CACHE_DIR": str(tmp_path / "cache"), "BENCH_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Wide" in done.stdout
