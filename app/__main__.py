"""``python -m app [CLIP]`` opens the editor."""

from __future__ import annotations

import sys

from app.application import run


def main() -> int:
    """Run the editor with the arguments of this process."""
    return run(sys.argv)


if __name__ == "__main__":
    sys.exit(main())
