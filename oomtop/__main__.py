"""`python -m oomtop`."""

from oomtop.cli import main

main()
