"""`python -m socle.cli`: what the supervisor runs, whatever is on the PATH."""

from socle.cli import main

main()
