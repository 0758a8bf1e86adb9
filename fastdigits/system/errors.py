"""The one exception that means "the user gave something we cannot use", and the check that several commands share."""

LONGEST, KEPT_END = 300, 140  # characters of a line, and how many of its end stay when it is cut
LARGEST_SEED = 2**32 - 1  # that numpy takes


class InputError(Exception):
    """A user's mistake: one line that says what was found, where, what is accepted and what to do.

    The command line prints the line and exits with code 2; from Python it is raised as it is.
    """

    def __init__(self, message: str):
        # A torch DataLoader worker raises it again with its own traceback as the message: keep our line only.
        line = message.rsplit("InputError: ", 1)[-1].strip()
        # names and fields may be endless, and what to do stands at the end
        self.line = line if len(line) <= LONGEST else f"{line[: LONGEST - KEPT_END - 5]} ... {line[-KEPT_END:]}"
        super().__init__(self.line)

    def __str__(self) -> str:
        return self.line  # fastai puts words of its own into the arguments of what its callbacks raise


def check_seed(seed: int) -> None:
    """InputError unless every random generator takes `seed`."""
    if not 0 <= seed <= LARGEST_SEED:
        raise InputError(f"--seed {seed} makes no sense; accepted are whole numbers 0 to {LARGEST_SEED}")
