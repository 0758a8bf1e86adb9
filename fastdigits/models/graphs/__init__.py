"""Models as ONNX graphs: written, opened, beside shipped weights, in int8. Only this room uses it."""
