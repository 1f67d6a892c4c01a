"""The command line ``vecnet``: everything the window can do, for scripts and for machines without a screen."""

from vecnet_core.cli.main import main

__all__ = ["main"]
