"""What a run set out to do, and what is known of its data: kept so that a report needs neither suite nor data."""

from typing import Literal

from pydantic import Field, JsonValue

from bench.case import PROTOCOL_VERSION, Case, Frozen, Track
from bench.record import SCHEMA_VERSION

OFFICIAL = "official"
"""The name of a split that is the published one, all of it."""


class DatasetNote(Frozen):
    """What a report says of a data set; kept in the manifest so that a run can be read without the data."""

    name: str
    title: str
    verified: bool
    fingerprint: str
    shape: tuple[int, ...]
    """Of one image: ``(*spatial, channels)``."""
    classes: tuple[str, ...]
    train_rows: int
    test_rows: int
    differs: bool = False
    """Whether the published data are known to be others."""
    split: str = OFFICIAL
    """``official``, or how the harness cut the test part, or which of the official rows there are."""
    generated: bool = False
    """Whether the harness made the data from others; such data are never verified."""
    independent_test_rows: int | None = None
    """How many independent rows the test part is worth, where its rows are known to come in groups."""


FloorMethod = Literal["majority", "nearest centroid", "1-NN"]


class Floor(Frozen):
    """What a method without any training scores on the test part, as shares of one; a model must beat it."""

    method: FloorMethod
    accuracy: float
    balanced_accuracy: float
    """Mean of the recalls of the classes that the test part holds."""
    tested_rows: int


class Floors(Frozen):
    """The floors of some training rows of a data set; kept in the run folder, so that a report needs no data."""

    dataset: str
    fingerprint: str
    """Of the whole data set."""
    train_rows: int
    """Those that a model gets, a validation part included: all, or as many as a cap leaves."""
    class_counts: tuple[int, ...]
    """How many of these rows each class has."""
    floors: tuple[Floor, ...]


class PublishedFigure(Frozen):
    """What somebody else measured, to be shown beside what is measured here."""

    dataset: str
    model: str
    framework: str | None = None
    """None: whichever runs the model."""
    metric: Literal["accuracy"] = "accuracy"
    value: float = Field(ge=0, le=1)
    tolerance: float = Field(gt=0, lt=1)
    """How far a figure of ours may lie from it and still be called the same."""
    source: str = Field(min_length=1)
    """Where it was published."""


class RunManifest(Frozen):
    """What a run set out to do: ``run.json`` of its folder."""

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
    """By case id, where a case has another number of seeds than the run."""
    published: tuple[PublishedFigure, ...] = ()
    labels: dict[str, JsonValue] = Field(default_factory=dict)
    """Anything the user wants to find the run by."""
