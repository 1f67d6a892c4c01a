"""Lets ``python -m vecnet_core.cli`` and the bundle's program ``vecnet`` start the command line."""

from __future__ import annotations

import sys

from vecnet_core.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
