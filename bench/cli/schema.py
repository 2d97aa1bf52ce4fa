"""``bench schema``: the JSON Schema of a part of a run folder."""

from enum import StrEnum
from typing import Annotated

import typer


class Kind(StrEnum):
    """Parts of a run folder that have a schema."""

    RECORD = "record"
    MANIFEST = "manifest"
    ENVIRONMENT = "environment"


def schema(
    of: Annotated[Kind, typer.Option(help="A line of records.jsonl, run.json, or a file of environments/.")] = (
        Kind.RECORD
    ),
) -> None:
    """Print the JSON Schema of a record, of a run's manifest or of an environment."""
    import json

    from pydantic import BaseModel

    from bench.manifest import RunManifest
    from bench.record import Environment, Record

    models: dict[Kind, type[BaseModel]] = {
        Kind.RECORD: Record,
        Kind.MANIFEST: RunManifest,
        Kind.ENVIRONMENT: Environment,
    }
    print(json.dumps(models[of].model_json_schema(mode="serialization"), indent=2))
