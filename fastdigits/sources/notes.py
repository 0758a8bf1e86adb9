"""What was noticed while pictures were read, for people to know: a line for each thing, each line once."""

from ..system import InputError

MOST_SAID = 5  # lines


class Notes(list):
    """Lines about what was decided, left out or found strange while something was read.

    Readers add to it; a command says it once, when it is done, and keeps it in the JSON file that it writes.
    """

    def add(self, *lines: str) -> None:
        """Take in lines that are not there yet: a source that is read again notices the same things."""
        self.extend(line for line in dict.fromkeys(lines) if line not in self)

    def said(self) -> list[str]:
        """The lines as they are shown, five at most."""
        if len(self) <= MOST_SAID:
            return list(self)
        left = len(self) - MOST_SAID + 1
        return [*self[: MOST_SAID - 1], f"and {left} more such lines, kept in the JSON file beside what was written"]

    def say(self) -> None:
        """Print them."""
        for line in self.said():
            print(line)

    def refuse(self) -> None:
        """InputError when anything was noticed, as `--strict` wishes."""
        if self:
            more = f" (and {len(self) - 1} more lines)" if len(self) > 1 else ""
            raise InputError(f"--strict: {self[0]}{more}; mend the data, or leave out --strict")
