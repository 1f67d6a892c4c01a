"""The same frames give the same packets, whatever is left in the memory that an encoder is given."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from damage import SAMPLE

ENCODE = """
import sys
from hashlib import md5
from pathlib import Path
import av
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.pictures import PictureEncoder
from vecnet_core.video.planning import plan_pictures
from vecnet_core.video.reader import VideoReader
codec, preset, clip, output = sys.argv[1:]
with VideoReader(clip) as reader:
    plan = plan_pictures(Path(output), reader.info, EncodeSettings(codec, preset=preset or None), Path(clip)).plan
    stored = [plan.stored(frame) for frame in reader.frames(0, 60)]
for _ in range(2):
    encoder = PictureEncoder(plan)
    packets = [packet for frame in stored for packet in encoder.encode(frame)]
    print(md5(b"".join(packet.data for packet in (*packets, *encoder.finish()))).hexdigest())
"""
FILLINGS = (1, 170)
"""Bytes with which glibc fills what it hands out and takes back; other systems ignore them."""


@pytest.mark.parametrize(
    ("size", "codec", "preset"),
    [
        ((320, 180), "h264", ""),
        ((318, 178), "h264", ""),
        ((318, 178), "hevc", "ultrafast"),
        ((318, 178), "av1", "12"),
        ((318, 178), "ffv1", ""),
    ],
)
def test_the_same_frames_give_the_same_packets(tmp_path, size, codec, preset):
    import av

    clip = tmp_path / "clip.mkv"
    with av.open(str(SAMPLE)) as given, av.open(str(clip), "w") as output:
        video = output.add_stream("ffv1", rate=25)
        (video.width, video.height), video.pix_fmt = size, "yuv420p"
        for index, frame in zip(range(60), given.decode(video=0), strict=False):
            small = frame.reformat(*size, "yuv420p")
            small.pts, small.time_base = index, 1 / video.codec_context.framerate
            output.mux(video.encode(small))
        output.mux(video.encode(None))
    found = set()
    for filling in FILLINGS:
        command = [sys.executable, "-c", ENCODE, codec, preset, str(clip), str(tmp_path / "out.mkv")]
        run = subprocess.run(
            command, env={**os.environ, "MALLOC_PERTURB_": str(filling)}, capture_output=True, text=True, check=True
        )
        found.update(run.stdout.split())
    assert len(found) == 1
