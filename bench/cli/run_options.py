"""Options of ``bench run``, some shared with ``bench equivalence``: their names, types and help."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class ExecutionName(StrEnum):
    """Values of --execution: ``bench.case.Execution`` as an enum, which typer can take as a list."""

    EAGER = "eager"
    GRAPH = "graph"
    COMPILED = "compiled"


class PrecisionName(StrEnum):
    """Values of --precision: ``bench.case.Precision``."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    FLOAT64 = "float64"


class InputName(StrEnum):
    """Values of --input: ``bench.case.Input``."""

    RESIDENT = "resident"
    LOADER = "loader"


class WeightsName(StrEnum):
    """Values of --class-weights: ``bench.case.ClassWeights``."""

    BALANCED = "balanced"


SuiteName = Annotated[str, typer.Option(help="A shipped suite, or a suite file (.toml).")]
Datasets = Annotated[
    list[str] | None, typer.Option(help="Data set: a name, a glob, or a file of your own. May be repeated.")
]
Models = Annotated[list[str] | None, typer.Option(help="Model: a name, a glob, or ./net.py:NAME. May be repeated.")]
Frameworks = Annotated[list[str] | None, typer.Option(help="Framework, alias or glob. May be repeated.")]
Devices = Annotated[
    list[str] | None, typer.Option(help="Device, as bench list devices names it, or all. May be repeated.")
]
Executions = Annotated[list[ExecutionName] | None, typer.Option(help="How networks are run. May be repeated.")]
Precisions = Annotated[list[PrecisionName] | None, typer.Option(help="Precision of networks. May be repeated.")]
Inputs = Annotated[
    list[InputName] | None,
    typer.Option(help="Images in memory, or the framework's input pipeline. May be repeated."),
]
BatchSizes = Annotated[list[int] | None, typer.Option(min=1, help="Batch size of networks. May be repeated.")]
StepsPerExecution = Annotated[list[int] | None, typer.Option(min=1, help="Steps a call (Keras). May be repeated.")]
ChannelsLast = Annotated[
    bool | None,
    typer.Option("--channels-last/--channels-first", help="Memory layout of images (PyTorch)."),
]
CaseId = Annotated[str, typer.Option(help="Run the case with this id alone, as the records have it.")]
Seeds = Annotated[int | None, typer.Option(min=1, help="Trials of each case, one per seed.")]
OneSeed = Annotated[list[int] | None, typer.Option(min=0, help="Run this seed index alone. May be repeated.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads of every framework (default: all cores).")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Epochs of every network.")]
Weights = Annotated[
    WeightsName | None,
    typer.Option("--class-weights", help="Weight samples so that every class counts the same; overrides the suite."),
]
Timeout = Annotated[float | None, typer.Option(min=0.1, help="Seconds after which a trial is ended.")]
DataFolder = Annotated[
    list[Path] | None,
    typer.Option("--data-dir", help="Folder with your copies of the data sets. May be repeated."),
]
Offline = Annotated[bool, typer.Option("--offline", help="Download nothing.")]
Results = Annotated[Path, typer.Option(help="Folder for run folders.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the newest run of this suite.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and its estimated time; run nothing.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show the table alone.")]
