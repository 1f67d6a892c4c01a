"""Laws of deinterlacing: combs go, still pictures stay, and a frame's picture is the same however it is reached."""

from __future__ import annotations

import random

import numpy as np
import pytest
from clips import FRAMES, make_frame

import vecnet_core.video.deinterlace as deinterlace
from vecnet_core.errors import VideoDamageError, VideoOpenError
from vecnet_core.video.decode import DecodeSettings
from vecnet_core.video.reader import VideoReader

ASKED = DecodeSettings(deinterlace=True)


def field_picture(index):
    """A bright bar that moves 3 pixels a field, its two fields woven into one frame, even lines first."""
    x = np.arange(64)
    first, second = (((x > 4 + 3 * field) & (x < 20 + 3 * field)) * 0.6 + 0.2 for field in (2 * index, 2 * index + 1))
    rows = np.where(np.arange(48)[:, None] % 2 == 0, first, second)
    return np.repeat(rows[..., None], 3, axis=2).astype(np.float32)


def interlaced(new_clip, name="fields.mp4", order="tff", **options):
    parameters = {"qp": "0", "flags": "+ildct", "g": "5", "bf": "2"}
    return new_clip(name, options=parameters, field_order=order, **options)


def comb(luma):
    """How much lines differ from the two around them."""
    lines = luma.astype(float)
    return np.abs(lines[1:-1] - (lines[:-2] + lines[2:]) / 2).mean()


def same(a, b):
    return all((x == y).all() for x, y in zip(a.planes, b.planes, strict=True))


def test_interlaced_footage_is_told_and_the_remedy_named(new_clip):
    path = interlaced(new_clip)
    with VideoReader(path) as reader:
        assert reader.info.is_interlaced
        assert any("--deinterlace" in text for text in reader.warnings)
        woven = reader.info.fingerprint
    with VideoReader(path, ASKED) as reader:
        assert not reader.info.is_interlaced
        assert reader.warnings == ()
        assert reader.info.fingerprint != woven


def test_combs_go(new_clip):
    path = interlaced(new_clip, picture=field_picture)
    with VideoReader(path) as reader, VideoReader(path, ASKED) as whole:
        assert whole.info.frame_count == reader.info.frame_count == FRAMES
        for woven, picture in zip(reader.frames(1, 7), whole.frames(1, 7), strict=True):
            assert comb(woven.planes[0]) > 10
            assert comb(picture.planes[0]) < 1.5
            assert (picture.pts, picture.duration) == (woven.pts, woven.duration)


@pytest.mark.parametrize(("order", "kept"), [("tff", 0), ("bff", 1)])
def test_the_first_field_is_kept_as_the_flags_say(new_clip, order, kept):
    path = interlaced(new_clip, order=order, picture=field_picture)
    with VideoReader(path) as reader, VideoReader(path, ASKED) as whole:
        for woven, picture in zip(reader.frames(0, 8), whole.frames(0, 8), strict=True):
            assert (woven.planes[0][kept::2] == picture.planes[0][kept::2]).all()
            assert (woven.planes[0][1 - kept :: 2] != picture.planes[0][1 - kept :: 2]).any()


@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p10le"])
def test_a_picture_is_the_same_however_it_is_reached(new_clip, layout):
    rng = np.random.default_rng(5)
    noise = [rng.random((48, 64, 3), np.float32) for _ in range(FRAMES)]
    path = interlaced(new_clip, layout=layout, picture=lambda index: noise[index])
    with VideoReader(path, ASKED) as reader:
        in_order = list(reader.frames())
        jumps = [*range(FRAMES), FRAMES - 1, 0] * 2
        random.Random(4).shuffle(jumps)
        for index in jumps:
            reader._cache.clear()
            assert same(reader.frame(index), in_order[index])
    # Also by a reader that has seen nothing else.
    for index in (0, 1, 6, FRAMES - 1):
        with VideoReader(path, ASKED, thread_count=1) as reader:
            assert same(reader.frame(index), in_order[index])


def test_a_still_picture_stays(new_clip):
    still = np.random.default_rng(1).random((48, 64, 3), np.float32)
    path = interlaced(new_clip, picture=lambda _: still)
    with VideoReader(path) as reader, VideoReader(path, ASKED) as whole:
        difference = whole.frame(5).planes[0].astype(int) - reader.frame(5).planes[0]
        # At the edge the filter has fewer lines to go by.
        assert np.abs(difference[4:-4]).max() <= 1


def test_reading_on_opens_one_filter(new_clip, monkeypatch):
    opened = []
    graph = deinterlace.Graph
    monkeypatch.setattr(deinterlace, "Graph", lambda: opened.append(1) or graph())
    with VideoReader(interlaced(new_clip), ASKED) as reader:
        assert len(list(reader.frames())) == FRAMES
    assert len(opened) == 1


def test_progressive_footage_is_deinterlaced_when_asked_and_it_is_said(clip):
    with VideoReader(clip, ASKED) as reader:
        assert any("all the same" in text for text in reader.warnings)
        assert len(list(reader.frames())) == FRAMES


def test_what_the_filter_does_not_take_is_refused(new_clip):
    path = new_clip("grey.mkv", codec="ffv1", layout="gray10le", frames=2)
    with pytest.raises(VideoOpenError, match="gray10le cannot be deinterlaced"):
        VideoReader(path, ASKED)


def test_a_damaged_neighbour_counts_as_not_there():
    """Frame 2 of five does not decode: 1 and 3 do, and alike before and after it was tried."""
    import av

    from vecnet_core.video.layouts import write_planes

    frames = []
    for index in range(5):
        raw = av.VideoFrame(64, 48, "yuv420p")
        write_planes(raw, make_frame(index, rgb=field_picture(index)).planes, 8)
        raw.pts = index
        frames.append(raw)

    def woven(index):
        if index == 2:
            raise VideoDamageError("damaged", frame=2)
        return frames[index]

    def lines(picture):
        return picture.to_ndarray()

    filtered = deinterlace.Deinterlacer(woven, 5)
    first = {index: lines(filtered.picture(index)) for index in (0, 1)}
    with pytest.raises(VideoDamageError):
        filtered.picture(2)
    after = {index: lines(filtered.picture(index)) for index in (3, 4)}
    for index, wanted in {**after, **first}.items():
        assert (lines(filtered.picture(index)) == wanted).all()
