"""The graph beside the weights of a shipped model, which onnxruntime opens in a tenth of the time that torch needs.

For a few pictures that is most of the time. Its weights are kept in fp16, as those beside it are.
"""

import json
from pathlib import Path

import numpy as np

from ...system import file_sha256, whole_file, write_json
from ..description import DESCRIPTION_FILE, ONNX, read_description
from ..saved import SavedModel
from .onnx_model import GRAPH_FILE, OnnxModel, open_graph, write_graph

GRAPH_SHA256 = "graph_sha256"  # the entry of model.json for the graph beside the weights
LEAST_PACKED = 1024  # numbers of a tensor that is kept in fp16


def read_quick(folder: Path) -> OnnxModel | None:
    """The graph beside a model's weights; None where there is none, or no onnxruntime."""
    description = read_description(folder)
    if description.get("format") == ONNX or GRAPH_SHA256 not in description:
        return None
    try:
        import onnxruntime  # noqa: F401
    except ImportError:  # it is not installed, or does not load here: the weights answer as well
        return None
    return open_graph(folder / GRAPH_FILE, description | {"sha256": description[GRAPH_SHA256]})


def write_quick(saved: SavedModel, folder: Path) -> None:
    """Write the graph beside the weights of the same model, which are there, and name it in the description."""
    graph, file = folder / GRAPH_FILE, folder / DESCRIPTION_FILE
    write_graph(saved, graph, optimize=False)  # which would give weights that fp16 cannot hold
    _pack(graph)
    description = json.loads(file.read_text(encoding="utf-8"))
    write_json(file, description | {GRAPH_SHA256: file_sha256(graph)})


def _pack(graph: Path) -> None:
    """Keep a graph's large weights in fp16, which onnxruntime widens when it opens it, and none of torch's notes."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load(graph)
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < LEAST_PACKED:
            continue
        packed = f"{tensor.name}.fp16"
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), packed))
        model.graph.node.insert(0, helper.make_node("Cast", [packed], [tensor.name], to=TensorProto.FLOAT))
    for node in model.graph.node:
        node.ClearField("metadata_props")
    model.graph.ClearField("value_info")
    with whole_file(graph) as partial:
        onnx.save(model, partial)
