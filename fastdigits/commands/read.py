"""read(): the numbers on a photo of several handwritten digits."""

from pathlib import Path

from ..answers import SURE, Inference, Reading, check_table_file, open_model, read_sheet
from ..photos import read_gray
from ..system import InputError, check_output


def read(
    model: str, sheet: Path, *, out: Path | None = None, picture: Path | None = None, overwrite: bool = False
) -> Reading:
    """Read the numbers on a photo of several handwritten digits.

    Digits are cut out one by one, changed to the form of MNIST's pictures, and read in order: lines from top to bottom,
    numbers from left to right. A wider gap separates two numbers. Ruled paper and shadows are no problem; the photo
    must be upright. What the model takes for no digit is left out and counted, if it was trained to tell that.

    Parameters
    ----------
    model
        A run directory, a saved model, an ONNX export, or a shipped model: digitnet-mnist, digitnet-kannada,
        digitnet-tiny-mnist.
    sheet
        The photo or scan.
    out
        A csv, or csv.gz, to write: each digit's line, number, place, label, confidence, verdict and box.
    picture
        A PNG to write: the sheet with a box around each digit and its label, doubtful ones in red; gray ones around
        what was left out.
    overwrite
        Replace what is at `out` and `picture`.

    Returns
    -------
    Reading

    Raises
    ------
    InputError
        When the model or the picture cannot be read, or an output exists.
    """
    if out is not None:
        check_table_file(Path(out), overwrite)
    if picture is not None:
        check_output(Path(picture), overwrite)
        if Path(picture).suffix.lower() != ".png":
            raise InputError(f"--picture {picture} is no PNG; name a file that ends in .png")
    opened, gray = open_model(model, few=True), read_gray(Path(sheet))
    reading = read_sheet(Inference([opened]), gray)
    if out is not None:
        reading.write(Path(out))
    if picture is not None:
        from ..figures import draw_reading

        found = [(vars(digit.box), digit.label, digit.verdict != SURE) for digit in reading.digits]
        draw_reading(gray, found, Path(picture), [vars(box) for box in reading.left_out])
        reading.picture = Path(picture)
    return reading
