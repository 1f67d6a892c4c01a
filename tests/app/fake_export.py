"""A command line that exports a project file as the editor's does: JSON lines, kept groups, exit codes; no video."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

from vecnet_core.errors import VecnetError
from vecnet_core.project import Project
from vecnet_core.video.unfinished import Manifest, Unfinished, discard_unfinished

GROUP = 5


def say(**event: object) -> None:
    print(json.dumps(event), flush=True)


def refuse(sentence: str) -> int:
    say(event="error", message=sentence)
    print(sentence, file=sys.stderr)
    return 2


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, interrupt)
    assert arguments[0] == "export"
    project = Project.load(Path(arguments[1]))
    (clip,) = project.clips
    output = clip.output
    assert output is not None
    if output.exists() and "--overwrite" not in arguments:
        return refuse(f"{output}: the output exists already; add --overwrite, or give another name.")
    if "refuse" in output.name:
        return refuse(f"{output}: its folder is not writable; choose another folder.")
    if "crash" in output.name:
        print("Segmentation something", file=sys.stderr)
        return 139
    if "stubborn" in output.name:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    steps = 2000 if "long" in output.name else 8
    job = {"settings": clip.settings.to_dict(), "encode": clip.encode.to_dict()}
    if "--restart" in arguments:
        discard_unfinished(output)
    try:
        unfinished = Unfinished(output, Manifest(json.loads(json.dumps(job)), steps), resume="--resume" in arguments)
    except VecnetError as error:
        return refuse(error.sentence)
    kept = unfinished.manifest.frames
    if "finish" in output.name and "--resume" in arguments:
        steps = kept + 3
    keep = True
    try:
        for done in range(1, 5):
            say(event="progress", stage="light", done=done, total=4, kept=kept, seconds_left=None)
        for done in range(kept + 1, steps + 1):
            left = (steps - done) * 0.5
            say(event="progress", stage="export", done=done, total=steps, kept=kept, seconds_left=left)
            time.sleep(0.01)
            if done % GROUP == 0:
                unfinished.group_path().write_bytes(b"x" * done)
                unfinished.add(GROUP, done)
        say(event="progress", stage="join", done=steps, total=steps, kept=kept, seconds_left=0.2)
        for done in range(3):
            say(event="progress", stage="verify", done=done, total=2, kept=kept, seconds_left=None)
        keep = False
    except KeyboardInterrupt:
        say(event="interrupted", message="Interrupted; some frames are kept: the same command with --resume ...")
        return 130
    finally:
        unfinished.close(keep=keep)
    output.write_text(" ".join(arguments))
    checks = [
        {"name": "frames", "ok": True, "words": f"{steps} frames"},
        {"name": "times", "ok": True, "words": "times"},
    ]
    told = {"frames": steps, "kept": kept, "seconds": 0.1, "device": "CPU", "checks": checks}
    say(event="done", output=str(output), **told, warnings=["sound left out"])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
