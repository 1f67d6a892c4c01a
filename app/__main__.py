"""``python -m app [CLIP]`` opens the editor."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the editor with the arguments of this process; `vecnet bench --window` has it measure itself."""
    if sys.argv[1:2] == ["--latency"]:
        from app.latency import run as measure

        return measure(sys.argv[2:])
    from app.application import run

    return run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
