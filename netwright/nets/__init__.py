"""Where torch enters: networks built from architectures, their ONNX graphs, and their text as ``model.py``."""
