"""Laws of the caches: what comes back is what was kept, to the last bit and never stale; nothing depends on them."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from clips import FRAMES, picture
from PIL import Image

from vecnet_core.cache import CacheBudget
from vecnet_core.checkpoint import Checkpoint
from vecnet_core.clip_cache import ClipCache, maker_of, pack_analysis, pack_light, unpack_analysis, unpack_light
from vecnet_core.correction.corrector import Corrector
from vecnet_core.correction.stabilise import ClipLight
from vecnet_core.device import Device
from vecnet_core.disk_cache import DiskCache
from vecnet_core.export import export_video
from vecnet_core.network.vecnet import VECNet, VECNetConfig
from vecnet_core.project import Clip
from vecnet_core.rendering import ClipRenderer, LightScan
from vecnet_core.settings import CorrectionSettings
from vecnet_core.video.decode import DecodeSettings
from vecnet_core.video.encode import EncodeSettings
from vecnet_core.video.footage import open_reader

TINY = VECNetConfig(analysis_short_side=32, widths=(8, 8, 8), depths=(1, 1, 1), token_channels=8)
SETTINGS = CorrectionSettings(strength=0.8, exposure_ev=0.3)
ROOT = Path(__file__).resolve().parents[2]


def new_corrector(model_hash="test", seed=0):
    torch.manual_seed(seed)
    return Corrector(Checkpoint(VECNet(TINY).eval(), model_hash), Device("cpu", "CPU"))


@pytest.fixture(scope="module")
def corrector():
    return new_corrector()


@pytest.fixture
def disk(tmp_path):
    made = DiskCache(tmp_path / "cache")
    yield made
    made.close()


def key(number):
    return number.to_bytes(20, "big")


def save(path, index):
    Image.fromarray(np.round(picture(index) * 255).astype(np.uint8)).save(path)


def entry(number, size=20_000):
    return random.Random(number).randbytes(size)


def file_of(disk):
    return disk._folder / "entries.sqlite"


def in_new_process(code, *arguments):
    """Start a process with code; it says what it has found by its exit code."""
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT)


# On disk -------------------------------------------------------------------------------------------------------------


def test_entries_survive_a_restart(disk, tmp_path):
    assert disk.get(key(1)) is None
    assert not (tmp_path / "cache").exists()
    disk.put(key(1), entry(1))
    disk.put(key(1), entry(2))  # what is there stays: the key says it all
    code = """if True:
        import sys, random
        from pathlib import Path
        from vecnet_core.disk_cache import DiskCache
        found = DiskCache(Path(sys.argv[1])).get((1).to_bytes(20, "big"))
        sys.exit(found != random.Random(1).randbytes(20_000))"""
    assert in_new_process(code, tmp_path / "cache").wait() == 0
    assert disk.get(key(1)) == entry(1)
    assert disk.get(key(2)) is None
    disk.remove(key(1))
    assert disk.get(key(1)) is None


def test_the_oldest_used_go_first_and_the_budget_holds(disk, monkeypatch):
    now = [1_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    disk.set_budget(1_000_000)
    for number in range(30):
        now[0] += 10_000
        disk.put(key(number), entry(number))
    now[0] += 10_000
    assert disk.get(key(0)) == entry(0)
    for number in range(30, 60):
        now[0] += 10_000
        disk.put(key(number), entry(number))
        assert disk.usage().held_bytes <= 1_000_000
    held = [number for number in range(60) if disk.get(key(number)) is not None]
    assert held == [0, *range(60 - len(held) + 1, 60)]
    assert len(held) > 35


def test_a_smaller_budget_gives_the_disk_back(disk):
    for number in range(100):
        disk.put(key(number), entry(number))
    disk.close()
    before = file_of(disk).stat().st_size
    disk.set_budget(500_000)
    disk.trim()
    assert disk.usage().held_bytes <= 500_000
    assert disk.usage().budget_bytes == 500_000
    assert file_of(disk).stat().st_size < before / 3
    assert disk.get(key(99)) == entry(99)
    # It is the cache's own: another process keeps to it.
    other = DiskCache(disk._parent)
    assert other.usage().budget_bytes == 500_000
    other.set_budget(0)
    other.put(key(500), entry(500))
    assert other.get(key(500)) is None
    other.close()


def test_purge_empties_it_for_all(disk):
    other = DiskCache(disk._parent, 70_000_000)
    other.put(key(9), entry(9))
    disk.set_budget(50_000_000)
    disk.put(key(1), entry(1))
    assert other.get(key(1)) == entry(1)
    disk.purge()
    assert disk.get(key(1)) is None
    assert disk.usage().held_bytes < 100_000
    assert disk.usage().budget_bytes == 50_000_000
    other.put(key(2), entry(2))
    assert disk.get(key(2)) == entry(2)
    assert disk.usage().budget_bytes == 50_000_000
    assert other.usage() == disk.usage()
    disk.purge()
    disk.purge()
    other.close()
    # Closing the last that knew the old file leaves the new one alone.
    disk.put(key(3), entry(3))
    assert DiskCache(disk._parent).get(key(3)) == entry(3)
    assert [path.name for path in disk._parent.iterdir() if path.name.endswith(".gone")] == []


def test_processes_write_at_once(disk, tmp_path):
    code = """if True:
        import logging, random, sys
        from pathlib import Path
        from vecnet_core.disk_cache import DiskCache
        said = []
        logging.basicConfig(level=logging.WARNING, handlers=[type("H", (logging.Handler,), {"emit": said.append})()])
        disk = DiskCache(Path(sys.argv[1]))
        for number in range(int(sys.argv[2]), int(sys.argv[3])):
            disk.put(number.to_bytes(20, "big"), random.Random(number).randbytes(20_000))
        disk.close()
        sys.exit(len(said))"""
    children = [in_new_process(code, tmp_path / "cache", start, start + 200) for start in (0, 100, 200)]
    assert [child.wait() for child in children] == [0, 0, 0]
    held = [disk.get(key(number)) for number in range(400)]
    # One that finds the file taken for long leaves an entry out; that does not happen with a few short writes.
    assert sum(found is not None for found in held) > 390
    assert all(found in {None, entry(number)} for number, found in enumerate(held))


def test_a_process_that_is_killed_leaves_whole_entries(disk, tmp_path, caplog):
    code = """if True:
        import random, sys
        from pathlib import Path
        from vecnet_core.disk_cache import DiskCache
        disk = DiskCache(Path(sys.argv[1]))
        for number in range(100_000):
            disk.put(number.to_bytes(20, "big"), random.Random(number).randbytes(20_000))"""
    child = in_new_process(code, tmp_path / "cache")
    while disk.get(key(20)) is None:
        assert child.poll() is None
        time.sleep(0.01)
    child.kill()
    child.wait()
    held = [disk.get(key(number)) for number in range(2000)]
    assert all(found in {None, entry(number)} for number, found in enumerate(held))
    assert held[:20] == [entry(number) for number in range(20)]
    assert not caplog.records


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def garble(path):
    data = bytearray(path.read_bytes())
    for at in range(9000, len(data), 5000):
        data[at] ^= 0xFF
    path.write_bytes(data)


def garble_head(path):
    path.write_bytes(b"\xff" * 4096 + path.read_bytes()[4096:])


def replace_by_text(path):
    path.write_text("this is no cache\n" * 1000)


def empty(path):
    path.write_bytes(b"")


def set_a_trap(path):
    with sqlite3.connect(path) as database:
        database.execute("CREATE TRIGGER trap AFTER INSERT ON entries BEGIN DELETE FROM entries; END")
    database.close()


def make_another(path):
    path.unlink()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE entries (key TEXT, used TEXT)")
    database.close()


DAMAGES = [truncate, garble, garble_head, replace_by_text, empty, set_a_trap, make_another]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_file_is_as_good_as_none(disk, damage):
    disk.set_budget(90_000_000)
    for number in range(40):
        disk.put(key(number), entry(number))
    disk.close()
    damage(file_of(disk))
    for number in range(40):
        assert disk.get(key(number)) in {None, entry(number)}
    for number in range(100, 140):
        disk.put(key(number), entry(number))
    disk.close()
    assert disk.usage().budget_bytes == 90_000_000
    # At most a few are lost while the damage is found; then all is well.
    assert sum(disk.get(key(number)) == entry(number) for number in range(100, 140)) >= 35
    assert disk.usage().held_bytes > 0


@pytest.mark.parametrize("value", [b"other", "text", None, 7, b"x" * 70_000_000], ids=lambda v: type(v).__name__)
def test_a_damaged_entry_is_removed(disk, value, caplog):
    disk.put(key(1), entry(1))
    disk.put(key(2), entry(2))
    disk.close()
    with sqlite3.connect(file_of(disk)) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        if value is None:  # an entry under the key of another
            database.execute("UPDATE entries SET data = ? WHERE key = ?", (entry(2), key(1)))
        else:
            database.execute("UPDATE entries SET data = ?, used = 'never' WHERE key = ?", (value, key(1)))
    database.close()
    assert disk.get(key(1)) is None
    assert "damaged entry" in caplog.text
    assert disk.get(key(2)) == entry(2)
    disk.put(key(1), entry(1))
    assert disk.get(key(1)) == entry(1)


def test_on_a_full_disk_nothing_is_kept_and_the_log_tells_once(disk, monkeypatch, caplog):
    disk.put(key(1), entry(1))
    usage = shutil.disk_usage(disk._folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=5_000_000))
    for number in range(2, 5):
        disk.put(key(number), entry(number))
        assert disk.get(key(number)) is None
    assert caplog.text.count("nearly full") == 1
    assert disk.get(key(1)) == entry(1)
    monkeypatch.undo()
    disk.put(key(2), entry(2))
    assert disk.get(key(2)) == entry(2)


def test_a_write_that_fails_is_undone(disk, caplog):
    disk.put(key(1), entry(1))
    assert disk._database is not None
    disk._database.execute("PRAGMA max_page_count = 20").fetchone()
    for number in range(2, 20):
        disk.put(key(number), entry(number))
    assert caplog.text.count("full") == 1
    found = [number for number in range(20) if disk.get(key(number)) == entry(number)]
    assert found[0] == 1
    assert len(found) < 12


def test_a_folder_that_takes_nothing_is_no_trouble(locked, caplog):
    disk = DiskCache(locked / "cache")
    disk.put(key(1), entry(1))
    assert disk.get(key(1)) is None
    assert disk.usage().held_bytes == 0
    disk.trim()
    assert len(caplog.records) == 1


# Of clips ------------------------------------------------------------------------------------------------------------


class Idle:
    """A corrector that may not be asked."""

    def __init__(self, corrector):
        self.window, self.device, self.model_hash = corrector.window, corrector.device, corrector.model_hash
        self.analysis_size = corrector.analysis_size
        self.denoiser = None

    def analyse(self, frames):
        raise AssertionError("the network runs")

    analyse_batch = analyse


def analyses_of(path, disk, corrector, indices=range(FRAMES), decode=None, light=None):
    """Analyse frames of a clip as a new session does."""
    with open_reader(path, decode or DecodeSettings()) as reader:
        renderer = ClipRenderer(reader, corrector, light, kept=ClipCache(disk, reader))
        return [renderer.analysis(index) for index in indices]


def is_kept(path, disk, corrector, **options):
    """Whether a new session finds frame 5 on disk."""
    try:
        analyses_of(path, disk, Idle(corrector), [5], **options)
    except AssertionError:
        return False
    return True


def test_what_comes_from_disk_composes_the_same_picture(clip, disk, corrector):
    with open_reader(clip) as reader:
        light = ClipLight(np.zeros(FRAMES), np.linspace(-0.3, 0.3, FRAMES))
        renderer = ClipRenderer(reader, corrector, light, kept=ClipCache(disk, reader))
        made = [renderer.render(index, SETTINGS).corrected for index in range(FRAMES)]
        again = ClipRenderer(reader, Idle(corrector), light, kept=ClipCache(disk, reader))
        assert again.is_analysed(3)
        assert all(np.array_equal(again.render(index, SETTINGS).corrected, made[index]) for index in range(FRAMES))
        assert again.render(3, CorrectionSettings(shadows=0.2)).corrected.shape == made[3].shape


def test_another_process_makes_the_same_bits_and_finds_them(clip, disk, corrector, tmp_path):
    """Preview and export are two processes: what one keeps must be what the other would have made."""
    made = analyses_of(clip, disk, corrector, [4])[0]
    code = """if True:
        import sys
        sys.path.insert(0, "tests/core")
        from pathlib import Path
        from test_cache import *
        disk, corrector = DiskCache(Path(sys.argv[2])), new_corrector()
        empty = DiskCache(Path(sys.argv[3]))
        found = analyses_of(Path(sys.argv[1]), disk, Idle(corrector), [4])[0]
        made = analyses_of(Path(sys.argv[1]), empty, corrector, [4])[0]
        sys.exit(pack_analysis(found) != pack_analysis(made))"""
    environment = dict(os.environ, PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'tests'}")
    child = [sys.executable, "-c", code, str(clip), str(tmp_path / "cache"), str(tmp_path / "other")]
    assert subprocess.run(child, cwd=ROOT, env=environment, check=False).returncode == 0
    assert pack_analysis(analyses_of(clip, disk, Idle(corrector), [4])[0]) == pack_analysis(made)


def test_nothing_is_stale(new_clip, disk, corrector, monkeypatch):
    path = new_clip("clip.mkv", codec="ffv1")
    other_light = ClipLight(np.zeros(FRAMES), np.full(FRAMES, 0.25))
    cut = ClipLight(np.zeros(FRAMES), np.zeros(FRAMES), cuts=(6,))
    analyses_of(path, disk, corrector)
    assert is_kept(path, disk, corrector)
    assert not is_kept(path, disk, new_corrector("other weights"))
    assert not is_kept(path, disk, corrector, decode=DecodeSettings(deinterlace=True))
    assert not is_kept(path, disk, corrector, light=other_light)
    assert not is_kept(path, disk, corrector, light=cut)
    with monkeypatch.context() as patch:
        patch.setattr("vecnet_core.clip_cache._code", lambda: "another version")
        assert not is_kept(path, disk, corrector)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    assert not is_kept(path, disk, corrector)
    monkeypatch.undo()
    assert is_kept(path, disk, corrector)
    # The same length and the same time of change, as a careful copy leaves them.
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not is_kept(path, disk, corrector)


def test_a_clip_that_changes_while_it_is_open_is_not_kept(new_clip, disk, corrector):
    path = new_clip("clip.mkv", codec="ffv1")
    with open_reader(path) as reader:
        kept = ClipCache(disk, reader)
        renderer = ClipRenderer(reader, corrector, kept=kept)
        renderer.analysis(2)
        shutil.copy(new_clip("other.mkv", codec="ffv1", frames=FRAMES), path)
        renderer.analysis(5)
        list(LightScan(reader, kept=kept))
        assert kept.analysis(renderer._key(2), renderer._maker) is not None
        assert kept.analysis(renderer._key(5), renderer._maker) is None
        assert kept.light() is None
    assert not is_kept(path, disk, corrector)


def test_a_picture_that_stands_in_for_a_damaged_one_is_not_kept(tmp_path, disk, corrector):
    folder = tmp_path / "shots"
    folder.mkdir()
    for number in range(8):
        save(folder / f"shot_{number:03}.png", number)
    (folder / "shot_006.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    decode = DecodeSettings(frame_rate=None)
    analyses_of(folder, disk, corrector, [2, 5], decode=decode)
    with open_reader(folder, decode) as reader:
        renderer = ClipRenderer(reader, corrector, kept=ClipCache(disk, reader))
        kept = ClipCache(disk, reader)
        assert kept.analysis(renderer._key(2), renderer._maker) is not None
        assert kept.analysis(renderer._key(5), renderer._maker) is None


@pytest.mark.parametrize("known", [(), range(FRAMES), (0, 3, 4, 9)], ids=["empty", "full", "partly"])
@pytest.mark.parametrize("denoise", [0.0, 0.5])
def test_an_export_is_the_same_whatever_the_cache_holds(new_clip, disk, corrector, known, denoise):
    """So an interrupted one goes on with the frames it would have had, though the preview worked on meanwhile."""
    path = new_clip("clip.mkv", codec="ffv1")
    settings = replace(SETTINGS, denoise=denoise)
    with open_reader(path) as reader:
        scan = LightScan(reader)
        list(scan)
        analyses_of(path, disk, corrector, known, light=scan.light)
        plain = list(ClipRenderer(reader, corrector, scan.light).corrected_frames(settings))
        renderer = ClipRenderer(reader, corrector, scan.light, kept=ClipCache(disk, reader))
        again = list(renderer.corrected_frames(settings, skip=5))
    assert len(again) == FRAMES - 5
    for one, other in zip(plain[5:], again, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one.planes, other.planes, strict=True))


def test_what_was_previewed_is_not_computed_again_on_export(new_clip, disk, corrector, tmp_path):
    path = new_clip("clip.mkv", codec="ffv1")
    clip = Clip(path, SETTINGS, encode=EncodeSettings("ffv1"), output=tmp_path / "out.mkv")
    with open_reader(path) as reader:
        scan = LightScan(reader, kept=ClipCache(disk, reader))
        list(scan)
    analyses_of(path, disk, corrector, light=scan.light)
    idle = Idle(corrector)
    idle.device_label = "CPU"
    assert list(export_video(clip, idle, disk=disk))[-1].stage == "done"


def test_a_gpu_exports_in_batches_and_takes_nothing_from_the_cache(new_clip, disk, corrector):
    """Its batches differ in the last bit from frames analysed alone; a resumed export must not mix the two."""
    path = new_clip("clip.mkv", codec="ffv1")
    gpu = new_corrector()
    gpu.device = Device("cuda:0", "CPU")
    analyses_of(path, disk, gpu)
    sizes = []
    batch = gpu.analyse_batch
    gpu.analyse_batch = lambda windows: sizes.append(len(windows)) or batch(windows)
    with open_reader(path) as reader:
        renderer = ClipRenderer(reader, gpu, kept=ClipCache(disk, reader))
        list(renderer.corrected_frames(SETTINGS))
    assert sizes == [4, 4, 4]


def test_light_is_measured_once(clip, disk, monkeypatch):
    with open_reader(clip) as reader:
        scan = LightScan(reader, kept=ClipCache(disk, reader))
        first = list(scan)
    with open_reader(clip) as reader:
        monkeypatch.setattr(reader, "frames", None)
        again = LightScan(reader, kept=ClipCache(disk, reader))
        for one, other in zip(first, again, strict=True):
            assert one.thumbnail is not None
            assert np.array_equal(one.thumbnail, other.thumbnail)
            assert replace(one, thumbnail=None) == replace(other, thumbnail=None)
        assert np.array_equal(again.light.gains_ev, scan.light.gains_ev)
        assert (again.light.cuts, again.light.duplicates) == (scan.light.cuts, scan.light.duplicates)
        part = LightScan(reader, 2, 6, kept=ClipCache(disk, reader))
        with pytest.raises(TypeError):  # a part has another light: it is read
            list(part)
    with open_reader(clip, DecodeSettings(deinterlace=True)) as reader:
        assert ClipCache(disk, reader).light() is None


def test_the_light_of_a_damaged_clip_is_measured_each_time(new_clip, disk):
    """Its damage is found by the pass over all of it, and has to be told in every session."""
    path = new_clip("clip.mp4", frames=24)
    data = path.read_bytes()
    at = data.index(b"mdat") + len(data) // 3
    path.write_bytes(data[:at] + bytes(400) + data[at + 400 :])
    with open_reader(path) as reader:
        kept = ClipCache(disk, reader)
        before = reader.warnings
        list(LightScan(reader, kept=kept))
        assert reader.warnings != before
        assert kept.light() is None


# What lies in entries ------------------------------------------------------------------------------------------------


def test_hostile_analyses_are_refused(clip, disk, corrector):
    analysis = analyses_of(clip, disk, corrector, [0])[0]
    good = pack_analysis(analysis)
    assert unpack_analysis(good) is not None

    def changed(**values):
        return pack_analysis(replace(analysis, **values))

    nan = analysis.grid.copy()
    nan[0, 0, 0, 0] = np.nan
    for bad in (
        b"",
        good[:-1],
        good + b"x",
        bytes(1000),
        b"\xff" * 1000,
        changed(grid=nan),
        changed(grid=analysis.grid[..., :15]),
        changed(grid=analysis.grid[:0]),
        changed(grid=analysis.grid.astype(np.float64)),
        changed(guide=np.full(3, np.inf, np.float32)),
        changed(guide=np.full(3, 1e30, np.float32)),
        changed(guide=np.zeros(2, np.float32)),
        changed(illumination_over=analysis.illumination_over[:-1]),
        changed(gain_ev=float("nan")),
        changed(gain_ev=5000.0),
        changed(curve_exponent=0.0),
    ):
        assert unpack_analysis(bad) is None
    with open_reader(clip) as reader:
        renderer = ClipRenderer(reader, corrector)
        kept = ClipCache(disk, reader)
        maker = maker_of(corrector, renderer._size)
        disk.purge()
        disk.put(kept._analysis_key(renderer._key(0), maker), changed(grid=nan))
        assert kept.analysis(renderer._key(0), maker) is None
        kept.keep_analysis(renderer._key(0), maker, analysis)
        assert kept.analysis(renderer._key(0), maker) is not None


def test_hostile_light_is_refused(clip, disk):
    with open_reader(clip) as reader:
        kept = ClipCache(disk, reader)
        list(LightScan(reader, kept=kept))
        measured = kept.light()
    assert measured is not None
    assert unpack_light(pack_light(measured), FRAMES) is not None
    light = measured.light
    for bad in (
        replace(light, exposures_ev=light.exposures_ev[1:]),
        replace(light, gains_ev=np.full(FRAMES, np.nan)),
        replace(light, gains_ev=np.full(FRAMES, 1e9)),
        replace(light, cuts=(FRAMES,)),
        replace(light, cuts=(5, 3)),
        replace(light, duplicates=(-1,)),
    ):
        assert unpack_light(pack_light(replace(measured, light=bad)), FRAMES) is None
    assert unpack_light(pack_light(measured), FRAMES + 1) is None
    assert unpack_light(b"{}", FRAMES) is None


def test_memory_keeps_to_its_budget(clip, disk, corrector):
    with open_reader(clip) as reader:
        renderer = ClipRenderer(reader, corrector, kept=ClipCache(disk, reader), memory_bytes=60_000)
        made = [renderer.analysis(index) for index in range(FRAMES)]
        assert renderer._analyses.held_bytes <= 30_000
        # What has left memory comes back from the disk.
        assert all(renderer.is_analysed(index) for index in range(FRAMES))
        assert pack_analysis(renderer.analysis(0)) == pack_analysis(made[0])
        renderer.set_memory(0)
        assert renderer._analyses.held_bytes == renderer._reduced.held_bytes == 0
    assert CacheBudget().disk_bytes == 8 << 30
