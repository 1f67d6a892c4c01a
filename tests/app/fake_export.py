"""A command line that behaves as the editor's does: JSON lines, exit codes, clean-up; it writes no video."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

from vecnet_core.video.parts import part_path


def say(**event: object) -> None:
    print(json.dumps(event), flush=True)


def main(arguments: list[str]) -> int:
    source, output = Path(arguments[1]), Path(arguments[2])
    if "refuse" in output.name:
        sentence = f"{output}: its folder is not writable; choose another folder."
        say(event="error", message=sentence)
        print(sentence, file=sys.stderr)
        return 2
    if "crash" in output.name:
        print("Segmentation something", file=sys.stderr)
        return 139
    if "stubborn" in output.name:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    part = part_path(output)
    part.write_text(" ".join(arguments))
    steps = 2000 if "long" in output.name else 8
    try:
        for done in range(1, 5):
            say(event="progress", stage="light", done=done, total=4, seconds_left=None)
        for done in range(1, steps + 1):
            say(event="progress", stage="export", done=done, total=steps, seconds_left=(steps - done) * 0.5)
            time.sleep(0.01)
        for done in range(3):
            say(event="progress", stage="verify", done=done, total=2, seconds_left=None)
    except KeyboardInterrupt:
        part.unlink()
        return 130
    part.replace(output)
    checks = [
        {"name": "frames", "ok": True, "words": f"{steps} frames"},
        {"name": "times", "ok": True, "words": "times"},
    ]
    told = {"frames": steps, "seconds": 0.1, "device": "CPU", "warnings": ["sound left out"], "checks": checks}
    say(event="done", output=str(output), **told)
    del source
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
