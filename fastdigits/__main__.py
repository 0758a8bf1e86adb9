"""`python -m fastdigits` is the command `fastdigits`."""

from .cli import main

main()
