"""ONNX graphs of whole architectures."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from netwright.core.architecture import Architecture, Node, Signature, Tensor
from netwright.nets.graph import to_onnx
from netwright.testing import layers as kit
from netwright.testing.architectures import random_architecture

torch.set_num_threads(1)
SIGNATURE = Signature((("x", Tensor((3,))),), (("y", Tensor((3,))),))


@pytest.mark.parametrize("number", range(40))
def test_random_architectures_compute_the_same(number):
    architecture, signature = random_architecture(number)
    kit.check_onnx(architecture, signature)
    onnx.checker.check_model(to_onnx(architecture, signature), full_check=True)


def test_without_weights_it_is_the_same_each_time_and_finite():
    architecture, signature = random_architecture(1)
    model = to_onnx(architecture, signature)
    assert model.SerializeToString() == to_onnx(architecture, signature).SerializeToString()
    session = onnxruntime.InferenceSession(model.SerializeToString())
    x = np.ones((2, *signature.inputs[0][1].shape), np.float32)
    assert np.isfinite(session.run(["y"], {"x": x})[0]).all()


def test_layers_that_do_nothing_write_nothing():
    nodes = (
        Node("identity", (-1,)),
        Node("linear", (0,), (("units", 3),), "w"),
        Node("dropout", (1,), (("rate", 0.5),)),
        Node("activation", (2,), (("kind", "relu"),)),
        Node("identity", (3,)),
    )
    model = to_onnx(Architecture(nodes, (4,)), SIGNATURE)
    assert [node.op_type for node in model.graph.node] == ["Gemm", "Relu"]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "N"


def test_an_output_may_be_an_input_or_twice_an_output():
    signature = Signature((("x", Tensor((3,))),), (("p", Tensor((3,))), ("q", Tensor((3,))), ("r", Tensor((3,)))))
    nodes = (Node("identity", (-1,)), Node("activation", (-1,), (("kind", "relu"),)))
    session = onnxruntime.InferenceSession(to_onnx(Architecture(nodes, (0, 1, 1)), signature).SerializeToString())
    x = np.array([[-1.0, 0.0, 2.0]], np.float32)
    p, q, r = session.run(["p", "q", "r"], {"x": x})
    assert np.array_equal(p, x)
    assert np.array_equal(q, np.maximum(x, 0))
    assert np.array_equal(r, q)
