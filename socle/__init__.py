"""The kernel of Socle: what every service shares and none of them owns.

A module belongs here when two services need it and it holds no rule of either.
"""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("socle")
except PackageNotFoundError:  # running from a tree that was never installed
    __version__ = "0.0.0"
