"""The ``bench`` command itself: its subcommands, and how errors end it.

Exit codes: 0 done and nothing wrong; 1 the answer is "no"; 2 the question was wrong, or a defect of bench left it
unanswered; 130 interrupted.
"""

import errno
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import typer

from bench import __version__
from bench.cli.lazy import Entry, LazyGroup, new_app
from bench.cli.reader import refusal
from bench.errors import BenchError

INTERRUPTED = 130


class Commands(LazyGroup):
    """The subcommands of ``bench``."""

    table: ClassVar[Mapping[str, Entry]] = {
        "run": Entry("bench.cli.run:run", "Run a suite, or any part of it, and show its table."),
        "list": Entry("bench.cli.list:app", "List suites, data sets, models, frameworks or devices."),
        "data": Entry("bench.cli.data:app", "List, fetch, check, show and inspect the data sets."),
        "report": Entry("bench.cli.report:report", "Show a run again: terminal, Markdown, CSV, JSON or SVG."),
        "equivalence": Entry("bench.cli.equivalence:equivalence", "Verify that the frameworks compute the same."),
        "diff": Entry("bench.cli.diff:diff", "Prove whether two models of your own compute the same."),
        "schema": Entry("bench.cli.schema:schema", "Print the JSON Schema of a record."),
    }

    def invoke(self, ctx: Any) -> Any:
        """Run the subcommand. The message of a wrong choice loses the validation library's prefix."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


app = new_app(cls=Commands)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bench {__version__}")
        raise typer.Exit


@app.callback()
def bench(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Compare Keras, PyTorch and scikit-learn on the MNIST family: accuracy, throughput and memory."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line (that of the process, if None) and return the exit code."""
    if arguments is None:
        # a batch system, a container or `timeout` ends a job by SIGTERM: treat it like Ctrl-C
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = _run(arguments)
    if why := refusal():
        return _unwritten(why)
    return code


def _run(arguments: Sequence[str] | None) -> int:
    given, debug = _without_debug(sys.argv[1:] if arguments is None else arguments)
    try:
        typer.main.get_command(app).main(args=given, prog_name="bench")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BenchError as error:
        _say(str(error), debug)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        # an unbuffered write fails here, not at the last flush; the error for a file would have its name
        unnamed = error.strerror if error.errno == errno.ENOSPC and error.filename is None else ""
        why = refusal() or unnamed
        return _unwritten(why) if why else _defect(error, debug)
    except Exception as error:  # the last frame: any other error still gets a message
        return _defect(error, debug)
    return 0


def _unwritten(why: str) -> int:
    """Print the error for output to a full disk."""
    print(f"the output could not be written: {why}.", file=sys.stderr)
    return 1


def _defect(error: Exception, debug: bool) -> int:
    _say(f"{_what_failed(error)}\n    This is a bug in bench. For the traceback, add: --debug", debug)
    return BenchError.exit_code


def _without_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The arguments without ``--debug``, which may stand before or after the subcommand, and whether it was there."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = [argument for argument in arguments[:end] if argument != "--debug"]
    return [*options, *arguments[end:]], len(options) < end


def _say(message: str, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    print(message, file=sys.stderr)


def _what_failed(error: Exception) -> str:
    return f"unexpected {type(error).__name__}: {error}".rstrip(": ")
