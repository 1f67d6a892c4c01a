"""Draws resources/maps.jpg, the strip of maps in the README: python packaging/make_maps_strip.py, from a checkout.

A dark and a bright frame of the sample clip; each row is what `vecnet maps` writes, reduced and named.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from vecnet_core.cli import main
from vecnet_core.resources import resource

FRAMES = {"dark": 30, "bright": 110}
COLUMNS = {
    "source": "source",
    "illumination_under": "illumination (under)",
    "candidate_brightened": "brightened",
    "illumination_over": "illumination (over)",
    "candidate_darkened": "darkened",
    "candidate_synthesised": "synthesised",
    "weights": "weights of the three",
    "corrected": "corrected",
}
WIDTH_PX, GAP_PX, TITLE_PX = 240, 6, 22
BACKGROUND, TEXT = (30, 30, 30), (220, 220, 220)


def draw() -> Image.Image:
    """The strip."""
    import matplotlib as mpl

    font = ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), 13)
    rows: list[list[Image.Image]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, frame in FRAMES.items():
            place = Path(folder) / name
            if main(["maps", str(resource("sample/sample.mp4")), str(place), "--frame", str(frame), "--json"]):
                raise SystemExit(1)
            pictures = (Image.open(place / f"{column}.png").convert("RGB") for column in COLUMNS)
            rows.append(
                [picture.resize((WIDTH_PX, WIDTH_PX * picture.height // picture.width)) for picture in pictures]
            )
    # Four maps a line, so that each can still be read in a page.
    lines = [(names, row[at : at + 4]) for row in rows for at, names in ((0, [*COLUMNS][:4]), (4, [*COLUMNS][4:]))]
    height_px = rows[0][0].height
    size = 4 * WIDTH_PX + 5 * GAP_PX, len(lines) * (TITLE_PX + height_px + GAP_PX) + GAP_PX
    sheet = Image.new("RGB", size, BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    y = GAP_PX
    for names, pictures in lines:
        for column, (name, picture) in enumerate(zip(names, pictures, strict=True)):
            x = GAP_PX + column * (WIDTH_PX + GAP_PX)
            pen.text((x, y), COLUMNS[name], TEXT, font)
            sheet.paste(picture, (x, y + TITLE_PX))
        y += TITLE_PX + height_px + GAP_PX
    return sheet


if __name__ == "__main__":
    draw().save(resource("sample").parent / "maps.jpg", quality=90)
