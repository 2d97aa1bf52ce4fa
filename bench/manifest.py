"""The manifest of a run: its cases and facts about its data, so that a report needs neither suite nor data."""

from typing import Literal

from pydantic import Field, JsonValue

from bench.case import PROTOCOL_VERSION, Case, Frozen, Track
from bench.record import SCHEMA_VERSION

OFFICIAL = "official"
"""The name of the complete published split."""


class DatasetNote(Frozen):
    """A report's facts about a data set; kept in the manifest so that a run can be read without the data."""

    name: str
    title: str
    verified: bool
    fingerprint: str
    shape: tuple[int, ...]
    """One image: ``(*spatial, channels)``."""
    classes: tuple[str, ...]
    train_rows: int
    test_rows: int
    differs: bool = False
    """True if the published data are known to differ."""
    split: str = OFFICIAL
    """``official``, or how the harness cut the test part, or which of the official rows there are."""
    generated: bool = False
    """True if the harness made the data from others; such data are never verified."""
    independent_test_rows: int | None = None
    """Number of independent rows the test part is worth, if its rows are known to come in groups."""


FloorMethod = Literal["majority", "nearest centroid", "1-NN"]


class Floor(Frozen):
    """Scores of a method without any training on the test part, as shares of one; a model must beat them."""

    method: FloorMethod
    accuracy: float
    balanced_accuracy: float
    """Mean of the recalls of the classes that the test part holds."""
    tested_rows: int


class Floors(Frozen):
    """The floors of some training rows of a data set; kept in the run folder, so that a report needs no data."""

    dataset: str
    fingerprint: str
    """The whole data set's."""
    train_rows: int
    """Rows that a model gets, a validation part included: all, or as many as a cap leaves."""
    class_counts: tuple[int, ...]
    """Number of these rows in each class."""
    floors: tuple[Floor, ...]


class PublishedFigure(Frozen):
    """A figure measured by others, shown beside the one measured here."""

    dataset: str
    model: str
    framework: str | None = None
    """None: any that runs the model."""
    metric: Literal["accuracy"] = "accuracy"
    value: float = Field(ge=0, le=1)
    tolerance: float = Field(gt=0, lt=1)
    """Largest difference at which a figure of ours is called the same."""
    source: str = Field(min_length=1)
    """Its publication."""


class RunManifest(Frozen):
    """The cases and data of a run: ``run.json`` of its folder."""

    schema_version: int = SCHEMA_VERSION
    protocol: int = PROTOCOL_VERSION
    bench_version: str
    name: str
    """The folder's name: ``2026-11-22T10-15-00-quick``."""
    suite: str
    description: str = ""
    track: Track = "matched"
    seeds: int = 1
    created_at: str = ""
    command: str = ""
    cases: tuple[Case, ...] = ()
    datasets: tuple[DatasetNote, ...] = ()
    case_seeds: dict[str, int] = Field(default_factory=dict)
    """Seeds by case id, for cases whose number differs from the run's."""
    published: tuple[PublishedFigure, ...] = ()
    labels: dict[str, JsonValue] = Field(default_factory=dict)
    """Free labels for finding the run."""
