"""The scores as tables a person can read: in a terminal, or as Markdown."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]

_DETAILS: tuple[tuple[str, str, str], ...] = (
    ("PSNR dB", "psnr_db", "{:.2f}"),
    ("95 %", "interval", "{}"),
    ("median", "psnr_db_median", "{:.1f}"),
    ("worst", "psnr_db_worst", "{:.1f}"),
    ("SSIM", "ssim", "{:.3f}"),
    ("EA-PSNR", "ea_psnr_db", "{:.2f}"),
    ("|e| EV", "exposure_error_ev", "{:.2f}"),
    ("flicker", "flicker_stops", "{:.3f}"),
    ("fl. error", "flicker_error_stops", "{:.3f}"),
    ("fl. error 4x4", "flicker_error_grid_stops", "{:.3f}"),
    ("clip luma", "clipped_luma_bias", "{:+.3f}"),
    ("clip chroma", "clipped_chroma_bias", "{:.3f}"),
    ("CPU ms", "cpu_ms_per_frame", "{:.0f}"),
    ("clips", "clips", "{}"),
)


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
        tables.append(("All scores", _all_scores(rows)))
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
    kept = [row for row in rows if (row["variant"] not in {"drift", "flicker", "step"}) == steady]
    methods = list(dict.fromkeys(row["method"] for row in kept))
    cells: dict[str, dict[str, str]] = {}
    for row in kept:
        name = row["subset"] if steady else f"{row['subset']} {row['variant']}"
        cells.setdefault(name, {})[row["method"]] = cell(row)
    lines = [[name, *(values.get(method, "") for method in methods)] for name, values in cells.items()]
    return [["subset", *methods], *lines]


def _all_scores(rows: list[Row]) -> list[list[str]]:
    table = [["subset", "variant", "method", *(title for title, _, _ in _DETAILS)]]
    for row in rows:
        shown = {**row, "interval": f"{row['psnr_db_low']:.1f}-{row['psnr_db_high']:.1f}"}
        cells = ["" if shown[key] is None else form.format(shown[key]) for _, key, form in _DETAILS]
        table.append([row["subset"], row["variant"], row["method"], *cells])
    return table


def _layout(table: list[list[str]], *, markdown: bool) -> str:
    """Lines of even columns; words to the left, numbers to the right."""
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
