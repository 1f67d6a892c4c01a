"""Starts the command line in a bundle."""

import sys

from vecnet_core.cli import main

sys.exit(main())
