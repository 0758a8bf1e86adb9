"""An ONNX graph in int8: a fraction of the size, and faster on a CPU that multiplies bytes (VNNI).

onnxruntime's static quantisation: weights int8, a scale for each output channel; activations uint8, between the least
and the largest value that each of them had on real pictures. What brings pictures to the network's size, and the
softmax, stay in fp32.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...system import whole_file

CALIBRATION_PICTURES = 1024  # training pictures by which the ranges are measured
CALIBRATION_BATCH = 64
QUANTISED = ("Conv", "Gemm", "MatMul", "MaxPool", "AveragePool", "GlobalAveragePool", "Add")


def quantise(graph: Path, images: np.ndarray) -> None:
    """Replace a graph that `write_graph` wrote by the same in int8.

    Parameters
    ----------
    graph : Path
    images : ndarray of uint8, shape (n, h, w)
        Pictures as the model was trained on, light ink on dark, by which the ranges of its activations are measured.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = graph.with_name(f".{graph.name}.prepared")
    try:
        quant_pre_process(graph, prepared, skip_symbolic_shape=True)
        with whole_file(graph) as partial:
            quantize_static(
                prepared,
                partial,
                _Batches(images),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=QUANTISED,
                per_channel=True,
                reduce_range=True,  # weights of seven bits: without VNNI sums of two products would overflow
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
            )
    finally:
        prepared.unlink(missing_ok=True)


class _Batches:
    """The pictures as onnxruntime asks for them: a batch a call, then None."""

    def __init__(self, images: np.ndarray):
        parts = range(0, len(images), CALIBRATION_BATCH)
        self.batches: Iterator[dict] = iter({"images": images[k : k + CALIBRATION_BATCH]} for k in parts)

    def get_next(self) -> dict | None:
        return next(self.batches, None)
