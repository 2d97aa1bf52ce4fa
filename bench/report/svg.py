"""A report as a picture: the terminal's text in a window, as SVG without external fonts or scripts."""

from bench.report.terminal import WIDTH
from bench.report.terminal import render as terminal
from bench.report.views import View
from bench.stats.results import Results

_FRAME = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""


def render(results: Results, *, view: View = "overview", per_trial: bool = False, color: bool = True) -> str:
    """The terminal report as an SVG picture; the overview unless another view is asked for."""
    from io import StringIO

    from rich.console import Console
    from rich.terminal_theme import MONOKAI
    from rich.text import Text

    text = terminal(results, view="overview" if view == "default" else view, per_trial=per_trial, color=True)
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text.from_ansi(text), soft_wrap=True, highlight=False)
    title = f"bench report --view {'overview' if view == 'default' else view}"
    return console.export_svg(title=title, theme=MONOKAI, code_format=_FRAME, unique_id="bench")
