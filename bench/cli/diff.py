"""``bench diff``: whether two models of the user's compute the same, and if not, which layer differs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.equivalence.diff import Diff

EXIT_CODES = {"same": 0, "differ": 1, "not judged": 2}


def diff(
    left: Annotated[str, typer.Argument(help="A file with an nn.Module or a keras.Model: torch_net.py:Net")],
    right: Annotated[str, typer.Argument(help="The other: keras_net.py:make_model")],
    shape: Annotated[str, typer.Option(help="One image's, channels last.")] = "28,28,1",
    classes: Annotated[int, typer.Option(min=2, help="What a builder that asks for classes is given.")] = 10,
    optimizer: Annotated[str, typer.Option(help="sgd, momentum, nesterov, adam, adamw, rmsprop, adadelta.")] = "adam",
    seed: Annotated[int, typer.Option(min=0, help="Of the weights, images and labels.")] = 0,
) -> None:
    """Prove whether two models of your own compute the same, and name the layers that differ.

    Exits with 0 if they are the same, 1 if they differ, 2 if that cannot be judged.
    """
    from bench.equivalence.diff import Question
    from bench.equivalence.diff import diff as compare

    found = compare(Question(left, right, parsed_shape(shape), classes, optimizer, seed))
    _print(found)
    code = EXIT_CODES[found.verdict]
    if code:
        raise typer.Exit(code)


def parsed_shape(text: str) -> tuple[int, ...]:
    """``28,28,1`` or ``28x28x1`` as sizes. Raises BenchError for anything else."""
    parts = re.split(r"[,x×]", text.replace(" ", ""))
    if not 2 <= len(parts) <= 4 or not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise BenchError(
            f"--shape {text!r} is not an image shape", "Give one to three sizes and the channels: --shape 28,28,1"
        )
    return tuple(map(int, parts))


def _print(found: Diff) -> None:
    from bench.cli.report import print_text
    from bench.report.diff import document
    from bench.report.terminal import text

    print_text(lambda color: text(document(found), color=color))
