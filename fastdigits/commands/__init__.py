"""The verbs: one file a command, named as the command, with the public function of that name and the words of its
options.

A command checks what it was called with, calls rooms, and says what came out; what a second caller could want stands in
a room. `fastdigits` itself has the functions: `from fastdigits import train`.
"""
