"""What a layer is and costs, without torch: shape rule, weights, FLOPs, its line in ``model.py`` and its ONNX nodes."""
