"""What may be done with the machine once all is exported: asked of the system itself, and done the way it does it.

Only Linux with logind says beforehand whether it would suspend or power off at this person's word, with no other
person at the machine and nothing that holds it up; elsewhere neither is offered.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

from vecnet_core.errors import InputError

_MANAGER = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")
_QUESTIONS = {"sleep": "CanSuspend", "off": "CanPowerOff"}
_ORDERS = {"sleep": "suspend", "off": "poweroff"}
_SECONDS = 5.0


def possible() -> frozenset[str]:
    """Which of ``sleep`` and ``off`` the system would do at once; waits for its answer."""
    if sys.platform != "linux" or shutil.which("busctl") is None or shutil.which("systemctl") is None:
        return frozenset()
    return frozenset(name for name, question in _QUESTIONS.items() if _says_yes(question))


def do(name: str) -> None:
    """Suspend (``sleep``) or power off (``off``).

    Raises:
        InputError: The system refuses, and why.
    """
    try:
        # Neither is forced: what another program or person still holds is a reason to refuse.
        subprocess.run(["systemctl", "--no-ask-password", _ORDERS[name]], check=True, capture_output=True, timeout=30.0)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or b""
        why = said.decode("utf-8", "replace").strip().splitlines()
        raise InputError(f"the machine does not {_ORDERS[name]} ({why[-1] if why else error})") from error


def _says_yes(question: str) -> bool:
    try:
        answer = subprocess.run(
            ["busctl", "--system", "call", *_MANAGER, question], capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.stdout.strip() == b's "yes"'
