"""Mean and deviation of gray levels, over pictures of which it is known later which count."""

import numpy as np


class PixelSums:
    """Sums of each picture's gray levels, so that statistics can be taken once the split is known."""

    def __init__(self):
        self.chunks: list[np.ndarray] = []

    def add(self, images: np.ndarray) -> None:
        """Take in uint8 pictures (n, h, w)."""
        flat = images.reshape(len(images), -1) / np.float32(255)
        count = np.full(len(flat), flat.shape[1], np.float64)
        self.chunks.append(np.stack([count, flat.sum(1), np.einsum("ij,ij->i", flat, flat)]))

    def table(self) -> np.ndarray:
        """Number of pixels, sum and sum of squares of each picture: (3, n)."""
        return np.concatenate(self.chunks, axis=1) if self.chunks else np.zeros((3, 0))

    def statistics(self, chosen: np.ndarray | slice = slice(None)) -> tuple[float, float]:
        """Mean and standard deviation over the pictures where the bool array `chosen` (n,) holds, by default all.

        Pictures without any contrast have the deviation 1, so that dividing by it is harmless.
        """
        count, total, squares = self.table()[:, chosen].sum(1)
        if count == 0:
            return 0.0, 1.0
        variance = squares / count - (total / count) ** 2
        return round(float(total / count), 6), round(float(variance) ** 0.5, 6) if variance > 1e-8 else 1.0
