"""Draw the README's picture: `python -m benchmarks.readme_picture` writes docs/pictures/read.png.

A sheet of numbers in scikit-learn's real handwritten digits, as a phone would see it, read by `fastdigits read`.
"""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import zoom
from sklearn.datasets import load_digits

from fastdigits import read

PICTURE = Path(__file__).parent.parent / "docs" / "pictures" / "read.png"
NUMBERS = (("1984", "27", "365"), ("60", "5318", "742"), ("193", "86", "4025"))
LINE_PX, ENLARGED, WIDTH_PX = 96, 6, 680


def digit_sheet(seed: int = 1) -> np.ndarray:
    """Gray levels uint8 (h, w): three lines of numbers, dark ink on ruled, shaded, grainy paper."""
    digits, rng = load_digits(), np.random.default_rng(seed)
    ink = np.zeros((LINE_PX * len(NUMBERS) + 40, WIDTH_PX))
    for line, numbers in enumerate(NUMBERS):
        left = 40
        for number in numbers:
            for label in number:
                digit = zoom(digits.images[rng.choice(np.flatnonzero(digits.target == int(label)))] / 16, ENLARGED)
                top = LINE_PX // 2 + LINE_PX * line + rng.integers(-3, 4)
                place = np.s_[top : top + digit.shape[0], left : left + digit.shape[1]]
                ink[place] = np.maximum(ink[place], digit.clip(0, 1))
                left += ENLARGED * 8 + 6
            left += 60
    shade = np.linspace(225, 195, WIDTH_PX) + np.linspace(8, -8, len(ink))[:, None]
    shade[LINE_PX + 10 :: LINE_PX] -= 45  # ruled
    return (shade - 165 * ink + rng.normal(0, 4, ink.shape)).clip(0, 255).astype(np.uint8)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "sheet.png"
        Image.fromarray(digit_sheet()).save(sheet)
        print(read("digitnet-mnist", sheet, picture=Path(folder) / "read.png"))
        drawn = Image.open(Path(folder) / "read.png")
        drawn.quantize(64).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
