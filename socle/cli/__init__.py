"""The command line: `socle up`, `socle demo`, and one command for each process."""

from socle.cli.app import main

__all__ = ["main"]
