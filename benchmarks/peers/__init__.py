"""Other tools on the same rows, minutes and machine: `python -m benchmarks.peers`."""

from .page import write_page
from .running import measured
from .tools import SCRIPTS, TOOLS

__all__ = ["SCRIPTS", "TOOLS", "measured", "write_page"]
