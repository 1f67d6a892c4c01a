"""Every job of this repository, from a bare Python: sets up what is missing, then runs, tests, measures or packages.

``python3 dev.py run`` opens the editor; ``python3 dev.py --help`` lists the rest. Standard library alone, because it
runs before anything is installed; and no newer syntax than it needs, so that an old Python can say that it is too old.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "set-up.json"
UNFINISHED = VENV / "set-up.unfinished"
SAMPLE = ROOT / "resources" / "sample" / "sample.mp4"
OLDEST_PYTHON = (3, 11)

QT_LIBRARIES = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libpulse.so.0": "libpulse0",
}
"""What Qt loads even without a display, the last for sound: shared library to Debian package. Newer releases answer to
the same names."""

XCB_LIBRARIES = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""What Qt's xcb plugin loads besides, for a window on X11."""

DISPLAY_PROBE = "from PySide6.QtGui import QGuiApplication; QGuiApplication([])"


TEST_VARIABLES = {"QT_QPA_PLATFORM": "offscreen", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1", "OMP_NUM_THREADS": "1"}
"""Set for a test run. One thread for torch, because the nets of the tests are tiny and a second thread only waits for
the first: on two busy cores that took 5 times the CPU time (analysis at 1080p, 2 cores under load, 2026-11)."""


class SetUpError(Exception):
    """The set-up cannot go on; the text is one sentence that says what to do."""


class Step(NamedTuple):
    """One program of a test run."""

    name: str
    command: list[str]


class Outcome(NamedTuple):
    """How one step of a test run ended."""

    name: str
    returncode: int
    seconds: float


# --- the machine -----------------------------------------------------------------------------------------------------


def say(text: str) -> None:
    """One line to the user, in order with what child processes write."""
    print(text, flush=True)


def missing_packages(libraries: Mapping[str, str], is_there: Callable[[str], bool]) -> list[str]:
    """The Debian packages of those libraries that the loader does not find."""
    return [package for library, package in libraries.items() if not is_there(library)]


def loads(library: str) -> bool:
    """Whether the dynamic loader finds a shared library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def apt_prefix() -> list[str] | None:
    """What to put before ``apt-get`` so that it may install; None where it may not, or is not there."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    return None


def install_system_packages(packages: Sequence[str], purpose: str, is_complete: Callable[[], bool]) -> None:
    """Install Debian packages through apt where we may.

    Args:
        packages: Names of Debian packages.
        purpose: What needs them, for the sentence.
        is_complete: Tells whether what they bring is there now.

    Raises:
        SetUpError: It may not be done here, or did not help; the text is the line to type.
    """
    by_hand = f"sudo apt-get update && sudo apt-get install -y {' '.join(packages)}"
    if shutil.which("apt-get") is None:
        raise SetUpError(
            f"{purpose} needs what Debian and Ubuntu call {' '.join(packages)}; install the same from your "
            "distribution, then start this command again."
        )
    prefix = apt_prefix()
    if prefix is None:
        raise SetUpError(
            f"{purpose} needs system packages; type this line, then start this command again:\n  {by_hand}"
        )
    say(f"Installing for {purpose}: {' '.join(packages)}")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    # A failed update is no reason to stop: the lists that are there may do.
    subprocess.run([*apt, "update"], stdout=subprocess.DEVNULL, check=False)
    install = [*apt, "install", "-y", "--no-install-recommends", *packages]
    if subprocess.run(install, stdout=subprocess.DEVNULL, check=False).returncode != 0 or not is_complete():
        raise SetUpError(f"apt could not install what {purpose} needs; type this line to see why:\n  {by_hand}")


def ensure_qt_libraries(*, with_window: bool) -> None:
    """See to the system libraries that Qt's wheel expects to find on Linux."""
    if not sys.platform.startswith("linux"):
        return
    libraries = {**QT_LIBRARIES, **XCB_LIBRARIES} if with_window else QT_LIBRARIES
    missing = missing_packages(libraries, loads)
    if missing:
        install_system_packages(missing, "the window (Qt)", lambda: not missing_packages(libraries, loads))


# --- the environment -------------------------------------------------------------------------------------------------


def environment_program(name: str) -> Path:
    """A program of the virtual environment."""
    return VENV / "Scripts" / f"{name}.exe" if os.name == "nt" else VENV / "bin" / name


def fingerprint(extras: Sequence[str]) -> str:
    """Names everything the installed packages depend on; the environment is set up anew when it changes."""
    parts = [repr(sys.version_info[:2]), str(ROOT), ",".join(sorted(extras))]
    parts += [(ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def read_stamp(stamp: Path) -> dict[str, str]:
    """What has been set up: extras to fingerprint; empty when there is no readable stamp."""
    try:
        content = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def is_set_up(extras: Sequence[str]) -> bool:
    """Whether the environment holds these extras, as pinned now."""
    done = read_stamp(STAMP).get(",".join(sorted(extras)))
    return done == fingerprint(extras) and environment_program("python").exists() and not UNFINISHED.exists()


def clean_environment() -> dict[str, str]:
    """The process environment without what would lead Python elsewhere."""
    return {k: v for k, v in os.environ.items() if k not in {"PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV"}}


def ensure_environment(extras: Sequence[str] = ()) -> None:
    """Make ``.venv`` hold the pinned packages; at once when it does already.

    Raises:
        SetUpError: With one sentence on what to do.
    """
    if is_set_up(extras):
        return
    started = time.monotonic()
    make_environment()
    UNFINISHED.touch()
    install_packages(extras)
    stamp = read_stamp(STAMP)
    stamp[",".join(sorted(extras))] = fingerprint(extras)
    if extras:
        stamp[""] = fingerprint(())
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")
    UNFINISHED.unlink()
    say(f"Set up in {time.monotonic() - started:.0f} s.")


def make_environment() -> None:
    """Create ``.venv``, or create it anew when it is damaged, of another Python, or its set-up was interrupted."""
    python = environment_program("python")
    if python.exists() and not UNFINISHED.exists() and environment_version(python) == list(sys.version_info[:2]):
        return
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        major, minor = sys.version_info[:2]
        install_system_packages([f"python{major}.{minor}-venv"], "the virtual environment", has_ensurepip)
    say("Making the virtual environment .venv")
    outer = getattr(sys, "_base_executable", None) or sys.executable
    made = subprocess.run([outer, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        reason = last_line(made.stdout + made.stderr)
        raise SetUpError(f"The virtual environment .venv could not be made ({reason}); remove .venv and start again.")


def has_ensurepip() -> bool:
    """Whether a new interpreter finds ensurepip now."""
    return subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True, check=False).returncode == 0


def environment_version(python: Path) -> list[int]:
    """Major and minor version of an interpreter; empty when it does not run."""
    ask = "import json, sys, pip; print(json.dumps(sys.version_info[:2]))"
    try:
        answer = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=True)
        return json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return []


def install_packages(extras: Sequence[str]) -> None:
    """Install this project, editable, with the pinned packages; pip's whole output goes to a log beside them."""
    target = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    log_path = VENV / "set-up.log"
    say("Installing the pinned packages into .venv (once; some minutes, torch is large)")
    pip = [str(environment_program("python")), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    command = [*pip, "--progress-bar", "off", "-c", str(ROOT / "constraints.txt"), "-e", target]
    reason = ""
    with log_path.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for line in process.stdout or ():
            log.write(line)
            reason = line.strip() if line.strip().startswith("ERROR: ") else reason
            if line.startswith(("Collecting ", "Installing collected")):
                say(f"  {line.split(' (from')[0].strip()[:100]}")
        returncode = process.wait()
    if returncode != 0:
        reason = reason.removeprefix("ERROR: ").rstrip(".") or f"pip ended with {returncode}"
        raise SetUpError(
            f"The packages could not be installed: {reason}. Check the network connection and the free disk space, "
            f"then start the same command again; pip's whole output is in {log_path.relative_to(ROOT)}."
        )


def last_line(text: str) -> str:
    """The last line of a program's output that says anything."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"


# --- run -------------------------------------------------------------------------------------------------------------


def x11_address(display: str) -> tuple[str, int] | None:
    """Host (empty: this machine) and display number that ``DISPLAY`` names; None when it names none."""
    host, colon, rest = display.rpartition(":")
    number = rest.split(".")[0]
    return ("" if host == "unix" else host, int(number)) if colon and number.isdigit() else None


def is_reachable(family: int, address: str | tuple[str, int]) -> bool:
    """Whether something listens at an address."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(3.0)
            connection.connect(address)
    except OSError:
        return False
    return True


def why_no_display(environment: Mapping[str, str]) -> str:
    """Why a window cannot be shown, as a clause; empty when nothing speaks against it."""
    if not sys.platform.startswith("linux"):
        return ""
    wayland, display = environment.get("WAYLAND_DISPLAY", ""), environment.get("DISPLAY", "")
    if not wayland and not display:
        return "neither DISPLAY nor WAYLAND_DISPLAY is set"
    if wayland and is_reachable(socket.AF_UNIX, str(Path(environment.get("XDG_RUNTIME_DIR", "/run")) / wayland)):
        return ""
    address = x11_address(display)
    if address is None:
        return f"DISPLAY is {display!r}" if display else f"nothing answers at the Wayland display {wayland}"
    host, number = address
    if host and is_reachable(socket.AF_INET, (host, 6000 + number)):
        return ""
    if not host and any(is_reachable(socket.AF_UNIX, f"{at}/tmp/.X11-unix/X{number}") for at in ("", "\0")):
        return ""
    return f"nothing answers at the display {display}"


def why_no_window() -> str:
    """Why Qt itself cannot open a window here, as a clause; empty when it can."""
    probe = [str(environment_program("python")), "-c", DISPLAY_PROBE]
    try:
        done = subprocess.run(probe, env=clean_environment(), capture_output=True, text=True, check=False, timeout=60)
    except subprocess.TimeoutExpired:
        return "the display does not answer"
    return "" if done.returncode == 0 else f"Qt cannot use the display: {last_line(done.stderr)}"


def run_editor(files: Sequence[Path]) -> int:
    """Open the editor with the files, or the sample; where there is no display, do the same job without a window."""
    reason = why_no_display(os.environ)
    if not reason:
        ensure_qt_libraries(with_window=True)
    ensure_environment()
    reason = reason or why_no_window()
    clips = [file.absolute() for file in files] or [SAMPLE]
    if reason:
        say(f"There is no display ({reason}), so no window opens; the same job is done without one.")
        return correct_without_window(clips)
    command = [str(environment_program("python")), "-m", "app", *map(str, clips)]
    return subprocess.run(command, cwd=ROOT, env=clean_environment(), check=False).returncode


def correct_without_window(clips: Sequence[Path]) -> int:
    """Correct each clip into ``out/``, beside a still and the flicker plot; print where they are."""
    python, out = str(environment_program("python")), ROOT / "out"
    made: list[Path] = []
    for clip in clips:
        corrected = out / f"{clip.stem}_vec{clip.suffix if clip.suffix in {'.mp4', '.mov', '.mkv'} else '.mp4'}"
        for command in (
            [python, "-m", "vecnet_core.cli", "correct", str(clip), str(corrected), "--overwrite"],
            [python, "-m", "vecnet_core.report", str(clip), str(corrected), str(out)],
        ):
            done = subprocess.run(command, cwd=ROOT, env=clean_environment(), check=False)
            if done.returncode != 0:
                return done.returncode
        made += [corrected, out / f"{clip.stem}_before_after.png", out / f"{clip.stem}_flicker.png"]
    say("Corrected clip, before/after still and flicker plot:")
    for path in made:
        say(f"  {path.relative_to(ROOT)}")
    return 0


# --- test, bench, package --------------------------------------------------------------------------------------------


def planned_steps(*, slow: bool) -> list[Step]:
    """The programs of a test run, the quickest first and the tests last."""
    python, ruff = str(environment_program("python")), str(environment_program("ruff"))
    everything = ["-m", "slow or not slow"] if slow else []
    return [
        Step("ruff format", [ruff, "format", "--check", "."]),
        Step("ruff check", [ruff, "check", "."]),
        Step("import-linter", [str(environment_program("lint-imports"))]),
        Step("pyright", [str(environment_program("pyright")), "--project", "pyproject.toml"]),
        Step("pytest", [python, "-m", "pytest", "--durations=8", *everything]),
    ]


def run_tests(*, slow: bool) -> int:
    """Run every step, then sum up; 0 when all passed."""
    ensure_qt_libraries(with_window=False)
    ensure_environment(["dev"])
    if slow and shutil.which("ffprobe") is None:
        try:
            install_system_packages(
                ["ffmpeg"], "the comparison with ffprobe", lambda: shutil.which("ffprobe") is not None
            )
        except SetUpError as error:
            say(f"{error}\nIts tests are skipped.")
    environment = {**clean_environment(), **TEST_VARIABLES}
    outcomes: list[Outcome] = []
    for step in planned_steps(slow=slow):
        say(f"\n=== {step.name}")
        started = time.monotonic()
        done = subprocess.run(step.command, cwd=ROOT, env=environment, check=False)
        outcomes.append(Outcome(step.name, done.returncode, time.monotonic() - started))
    say(f"\n{summary(outcomes)}")
    return 0 if all(outcome.returncode == 0 for outcome in outcomes) else 1


def summary(outcomes: Sequence[Outcome]) -> str:
    """A line for each step with its time, and a last line that says whether all passed."""
    lines = [f"{'passed' if o.returncode == 0 else 'FAILED'}  {o.name:<14}{o.seconds:7.1f} s" for o in outcomes]
    failed = [o.name for o in outcomes if o.returncode != 0]
    return "\n".join([*lines, f"Failed: {', '.join(failed)}." if failed else "All passed."])


def run_bench(arguments: Sequence[str]) -> int:
    """Measure this machine: CPU time of each part of the work, and of a whole correction beside a plain re-encode."""
    ensure_environment()
    command = [str(environment_program("python")), "-m", "vecnet_core.bench", *arguments]
    return subprocess.run(command, cwd=ROOT, env=clean_environment(), check=False).returncode


def build_package() -> int:
    """Build the bundle in ``dist/vecnet`` with PyInstaller."""
    ensure_qt_libraries(with_window=True)
    ensure_environment(["package"])
    command = [str(environment_program("pyinstaller")), "--noconfirm", "--clean", "packaging/vecnet.spec"]
    return subprocess.run(command, cwd=ROOT, env=clean_environment(), check=False).returncode


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """The command and what follows it."""
    parser = argparse.ArgumentParser(prog="dev.py", description="Sets up what is missing, then does one job.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="open the editor with FILES, or with the bundled sample clip")
    run.add_argument("files", nargs="*", type=Path, metavar="FILE", help="clips to open")
    commands.add_parser("test", help="format, lint, types, import floors and the tests")
    commands.add_parser("check", help="the same, with the slow tests")
    commands.add_parser("bench", help="measure the speed of this machine (--json for numbers alone)", add_help=False)
    commands.add_parser("package", help="build a bundle that needs no Python, in dist/")
    known, rest = parser.parse_known_args(arguments)
    if rest and known.command != "bench":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return known, rest


def main(arguments: Sequence[str]) -> int:
    """Do one job; the exit code is 0 when it went well and 2 when the set-up could not be done."""
    if sys.version_info[:2] < OLDEST_PYTHON:
        say(f"This needs Python 3.11 or newer, and this is {sys.version.split()[0]}; start it with a newer python3.")
        return 2
    known, rest = parse(arguments)
    try:
        if known.command == "run":
            return run_editor(known.files)
        if known.command == "bench":
            return run_bench(rest)
        if known.command == "package":
            return build_package()
        return run_tests(slow=known.command == "check")
    except SetUpError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
