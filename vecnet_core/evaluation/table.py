"""The scores as tables a person can read: in a terminal, or as Markdown."""

from __future__ import annotations

from typing import Any

from vecnet_core.evaluation.clips import STEADY

Row = dict[str, Any]

_COLUMNS: dict[str, tuple[str, str]] = {
    "psnr_db": ("PSNR dB", "{:.2f}"),
    "psnr_db_interval": ("95 %", "{0:.1f}-{1:.1f}"),
    "psnr_db_median": ("median", "{:.1f}"),
    "psnr_db_worst": ("worst", "{:.1f}"),
    "worst_clip": ("worst clip", "{}"),
    "ssim": ("SSIM", "{:.3f}"),
    "ssim_interval": ("SSIM 95 %", "{0:.3f}-{1:.3f}"),
    "ssim_median": ("SSIM median", "{:.3f}"),
    "ssim_worst": ("SSIM worst", "{:.3f}"),
    "ea_psnr_db": ("EA-PSNR", "{:.2f}"),
    "exposure_error_ev": ("|e| EV", "{:.2f}"),
    "flicker_stops": ("flicker", "{:.3f}"),
    "flicker_error_stops": ("fl. error", "{:.3f}"),
    "flicker_error_grid_stops": ("fl. error 4x4", "{:.3f}"),
    "clipped_luma_bias": ("clip luma", "{:+.3f}"),
    "clipped_chroma_bias": ("clip chroma", "{:.3f}"),
    "cpu_ms_per_frame": ("CPU ms", "{:.0f}"),
    "clips": ("clips", "{}"),
    "subset": ("subset", "{}"),
    "variant": ("variant", "{}"),
    "method": ("method", "{}"),
    "clip": ("clip", "{}"),
}
"""Title and form of every column, by its key in a row; an interval is made of the keys that end in low and high."""

_LIGHT = (
    "flicker_stops",
    "flicker_error_stops",
    "flicker_error_grid_stops",
    "clipped_luma_bias",
    "clipped_chroma_bias",
    "cpu_ms_per_frame",
)
_DETAILS = (
    "subset", "variant", "method", "psnr_db", "psnr_db_interval", "psnr_db_median", "psnr_db_worst", "ssim",
    "ea_psnr_db", "exposure_error_ev", *_LIGHT, "clips",
)  # fmt: skip
_CLOSENESS_OF_SUBSET = (
    "variant", "method", "psnr_db", "psnr_db_interval", "psnr_db_median", "psnr_db_worst", "worst_clip", "ssim",
    "ssim_interval", "ssim_median", "ssim_worst", "ea_psnr_db", "exposure_error_ev",
)  # fmt: skip
_LIGHT_OF_SUBSET = ("variant", "method", *_LIGHT, "clips")
_CLIP = ("clip", "variant", "psnr_db", "ssim", "ea_psnr_db", "exposure_error_ev", *_LIGHT)


def format_table(result: dict[str, Any], *, markdown: bool = False, details: bool = True) -> str:
    """The result of `evaluate` as text.

    Args:
        result: What `evaluate` returned.
        markdown: Markdown tables in place of columns of spaces.
        details: Every score of every row, after the two summaries (PSNR and SSIM, flicker error).

    Returns:
        Tables with a heading each, joined by blank lines.
    """
    rows: list[Row] = result["rows"]
    tables = [
        ("PSNR in dB / SSIM, by subset and method (steady light)", _by_method(rows, _closeness, steady=True)),
        ("Flicker error in stops, by subset and method (changing light)", _by_method(rows, _flicker, steady=False)),
    ]
    if details:
        tables.append(("All scores", _table(rows, _DETAILS)))
    return _headed(tables, markdown=markdown)


def format_subset(result: dict[str, Any], subset: str) -> str:
    """Every score of one subset in Markdown, for each method and variant: closeness; then flicker, clipped regions."""
    rows = [row for row in result["rows"] if row["subset"] == subset]
    tables = [
        ("Closeness to the reference", _table(rows, _CLOSENESS_OF_SUBSET)),
        ("Light over time, and bias where the input is clipped", _table(rows, _LIGHT_OF_SUBSET)),
    ]
    return _headed(tables, markdown=True)


def format_clips(result: dict[str, Any], subset: str, method: str) -> str:
    """The scores of one method on every clip and variant of a subset, as a Markdown table."""
    rows = [row for row in result["clips"] if row["subset"] == subset and row["method"] == method]
    return _layout(_table(rows, _CLIP), markdown=True)


def _headed(tables: list[tuple[str, list[list[str]]]], *, markdown: bool) -> str:
    """Tables under their headings; those without a line are left out."""
    return "\n\n".join(
        f"{'**' if markdown else ''}{heading}{'**' if markdown else ''}\n\n{_layout(table, markdown=markdown)}"
        for heading, table in tables
        if len(table) > 1
    )


def _closeness(row: Row) -> str:
    return f"{row['psnr_db']:.2f} / {row['ssim']:.3f}"


def _flicker(row: Row) -> str:
    return f"{row['flicker_error_stops']:.3f}"


def _by_method(rows: list[Row], cell: Any, *, steady: bool) -> list[list[str]]:
    """A line for each subset (and variant), a column for each method."""
    kept = [row for row in rows if (row["variant"] in STEADY) == steady]
    methods = list(dict.fromkeys(row["method"] for row in kept))
    cells: dict[str, dict[str, str]] = {}
    for row in kept:
        name = row["subset"] if steady else f"{row['subset']} {row['variant']}"
        cells.setdefault(name, {})[row["method"]] = cell(row)
    lines = [[name, *(values.get(method, "") for method in methods)] for name, values in cells.items()]
    return [["subset", *methods], *lines]


def _table(rows: list[Row], keys: tuple[str, ...]) -> list[list[str]]:
    """A line for each row, a column for each key of `_COLUMNS`."""
    return [[_COLUMNS[key][0] for key in keys], *([_cell(row, key) for key in keys] for row in rows)]


def _cell(row: Row, key: str) -> str:
    """One value in words; nothing where it is not known."""
    name, is_interval = key.removesuffix("_interval"), key.endswith("_interval")
    values = [row[f"{name}_low"], row[f"{name}_high"]] if is_interval else [row[key]]
    return "" if values[0] is None else _COLUMNS[key][1].format(*values)


def _layout(table: list[list[str]], *, markdown: bool) -> str:
    """Lines of even columns; words to the left, numbers to the right."""
    if markdown:
        table = [[cell.replace("|", "\\|") for cell in line] for line in table]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    is_word = [not any(any(c.isdigit() for c in line[column]) for line in table[1:]) for column in range(len(widths))]

    def line_of(cells: list[str]) -> str:
        padded = [
            cell.ljust(width) if word or column == 0 else cell.rjust(width)
            for column, (cell, width, word) in enumerate(zip(cells, widths, is_word, strict=True))
        ]
        return f"| {' | '.join(padded)} |" if markdown else "  ".join(padded).rstrip()

    rules = ["-" * width if word or column == 0 else "-" * (width - 1) + ":" for column, (width, word) in
             enumerate(zip(widths, is_word, strict=True))]  # fmt: skip
    rule = f"| {' | '.join(rules)} |" if markdown else "  ".join("-" * width for width in widths)
    return "\n".join([line_of(table[0]), rule, *(line_of(line) for line in table[1:])])
