"""`python -m fastdigits.labelling.beside COMMAND ...`: a command that ends with the process that began it.

Whoever begins it holds the other end of its standard input, which the system closes when that process ends, in
whatever way.
"""

import os
import runpy
import threading

ENDED = 3


def end_with_parent() -> None:
    """End this process at once when its standard input is closed."""
    while os.read(0, 1):  # not by sys.stdin, on whose lock Python would wait when it ends
        pass
    os._exit(ENDED)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    runpy.run_module("fastdigits", run_name="__main__", alter_sys=True)
