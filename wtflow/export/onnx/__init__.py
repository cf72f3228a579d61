"""A detector as an ONNX graph, compared with the app as soon as it is written."""
