"""A torch module as one self-contained ONNX file, through PyTorch's own exporter."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from netwright.core.architecture import Signature, Tensor
from netwright.nets.graph import OPSET

__all__ = ["names", "to_onnx", "warm"]


def names(signature: Signature) -> tuple[list[str], list[str]]:
    """What inputs and outputs are called in the file: ``input`` and ``output`` where there is one, else their own names."""
    inputs, outputs = [name for name, _ in signature.inputs], [name for name, _ in signature.heads]
    return (["input"] if len(inputs) == 1 else inputs), (["output"] if len(outputs) == 1 else outputs)


def to_onnx(model: nn.Module, signature: Signature, metadata: Mapping[str, str]) -> bytes:
    """The file's bytes: weights inside, any batch size, constants folded; ``metadata`` is stored in it as text."""
    inputs, outputs = names(signature)
    example = tuple(torch.zeros((2, *tensor.shape), dtype=getattr(torch, tensor.dtype)) for _, tensor in signature.inputs)
    batch = torch.export.Dim("batch")
    with _quiet():
        program = torch.onnx.export(
            model,
            example,
            dynamo=True,
            opset_version=OPSET,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=tuple({0: batch} for _ in example),
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    # where each operator came from, with paths of this machine: of no use elsewhere
    for part in (proto.graph, *proto.graph.node, *proto.graph.value_info, *proto.graph.input, *proto.graph.output):
        del part.metadata_props[:]
    del proto.metadata_props[:]
    for key, value in metadata.items():
        proto.metadata_props.add(key=key, value=value)
    written: bytes = proto.SerializeToString()
    return written


def warm() -> None:
    """Do what costs seconds at the first export of a process only, so that it can be done while something else is waited for."""
    one = Signature((("x", Tensor((1, 4, 4))),), (("y", Tensor((1, 2, 2))),))
    to_onnx(nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1), nn.ReLU()).eval(), one, {})


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns of packages it could use and of its own deprecated parts: nothing that a person can act on."""
    disabled = logging.root.manager.disable
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning, UserWarning):
            warnings.simplefilter("ignore", category)
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(disabled)
