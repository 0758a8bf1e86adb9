"""`python -m benchmarks.peers [TOOL ...]`: what other tools reach on the same rows and machine, in the same minutes.

MNIST with 9,000 rows kept apart and Kannada-MNIST with nine writers kept apart; 10,000 and all training rows; 2, 5 and
15 minutes, in which everything counts: start, reading, training, predicting. Each tool has an environment of its own in
`--work`, made when it is needed, and is used as the script in `benchmarks/peers/scripts` says. A finished run is a line
of `docs/peers.csv` and not run again; `docs/results/peers.md` is written at the end. Nothing else may run meanwhile.
"""

import argparse
import os
import sys
from itertools import product
from pathlib import Path

from ..kept import append_row, kept_rows
from ..measuring import machine
from .page import write_page
from .running import environment, measured
from .tables import ROWS, TABLES, table_folder
from .tools import TOOLS

RESULTS = Path("docs", "peers.csv")
MINUTES, SEEDS, LONG = (2, 5, 15), (1, 2, 3), 15  # of long ones there is one seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tools", nargs="*", default=list(TOOLS), help=f"{', '.join(TOOLS)}; all by default")
    parser.add_argument("--data", type=Path, default=os.environ.get("FASTDIGITS_DATA"), help="mnist/ and kannada/")
    parser.add_argument("--work", type=Path, default=Path("runs", "peers"), help="environments, tables and runs")
    parser.add_argument("--minutes", type=float, nargs="*", default=MINUTES)
    parser.add_argument("--tables", nargs="*", default=TABLES)
    parser.add_argument("--rows", type=int, nargs="*", default=ROWS, help="0: all")
    parser.add_argument("--seeds", type=int, nargs="*", default=SEEDS)
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    if not chosen.data:
        sys.exit("set FASTDIGITS_DATA, or pass --data, to the folder that holds mnist/ and kannada/")
    done = {
        tuple(row[name] for name in ("tool", "table", "rows", "minutes", "seed")) for row in kept_rows(chosen.results)
    }
    for minutes, table, rows, seed, name in product(
        chosen.minutes, chosen.tables, chosen.rows, chosen.seeds, chosen.tools
    ):
        case = name, table, str(rows or "all"), f"{minutes:g}", str(seed)
        if case in done or (minutes >= LONG and seed > 1):
            continue
        python = environment(TOOLS[name], chosen.work)
        folder = table_folder(table, rows, chosen.data, chosen.work)
        found = measured(TOOLS[name], python, folder, minutes, seed, chosen.work)
        row = dict(zip(("tool", "table", "rows", "minutes", "seed"), case)) | found | machine()
        append_row(chosen.results, row)
        print(", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    if chosen.results == RESULTS:
        write_page(kept_rows(RESULTS))


if __name__ == "__main__":
    main()
