"""2-D convolution with padding that keeps the size (at stride 1). ``groups`` 0 is depthwise: one filter per channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Layer, OnnxNode, Shape, expect

__all__ = ["LAYER"]


class Conv(Layer):
    """Attributes: ``width`` (output channels), or ``ratio`` (as a multiple of the input's; 1 for a depthwise one), ``kernel``,
    ``stride`` 1, ``groups`` 1, ``dilation`` 1, ``bias`` False. Padding is ``dilation · (kernel − 1) / 2`` on every side."""

    attributes = ("width", "ratio", "kernel", "stride", "groups", "dilation", "bias")

    def read(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> tuple[int, int, int, int, int, int, bool]:
        """Channels in and out, kernel, stride, groups, dilation, bias."""
        (x,) = inputs
        cin = expect(x, "a convolution", 3)[0]
        groups = attrs.get("groups", 1) or cin
        depthwise = attrs.get("groups", 1) == 0
        cout = cin * attrs.get("ratio", 1) if depthwise or "ratio" in attrs else attrs["width"]
        kernel = attrs.get("kernel", 3)
        if cin % groups or cout % groups:
            raise SpaceError(f"{cin} → {cout} channels cannot be split into {groups} groups")
        if kernel % 2 == 0:
            raise SpaceError(f"kernel {kernel} is even; padding cannot keep the size")
        return cin, cout, kernel, attrs.get("stride", 1), groups, attrs.get("dilation", 1), attrs.get("bias", False)

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        _, cout, _, stride, *_ = self.read(inputs, attrs)
        return Tensor((cout, *(-(-size // stride) for size in inputs[0].shape[1:])))

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        cin, cout, kernel, _, groups, _, bias = self.read(inputs, attrs)
        return {"weight": (cout, cin // groups, kernel, kernel), **({"bias": (cout,)} if bias else {})}

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        cin, cout, kernel, stride, groups, *_ = self.read(inputs, attrs)
        high, wide = (-(-size // stride) for size in inputs[0].shape[1:])
        return 2 * cout * (cin // groups) * kernel * kernel * high * wide

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        cin, cout, kernel, stride, groups, dilation, bias = self.read(inputs, attrs)
        parts = [f"{cin}, {cout}, {kernel}"]
        parts += [f"stride={stride}"] * (stride != 1) + [f"padding={dilation * (kernel // 2)}"] * (kernel > 1)
        parts += [f"dilation={dilation}"] * (dilation != 1) + [f"groups={groups}"] * (groups != 1) + ["bias=False"] * (not bias)
        return f"nn.Conv2d({', '.join(parts)})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        _, _, kernel, stride, groups, dilation, bias = self.read(inputs, attrs)
        pad = dilation * (kernel // 2)
        settings = {
            "kernel_shape": [kernel, kernel],
            "strides": [stride, stride],
            "pads": [pad] * 4,
            "dilations": [dilation, dilation],
            "group": groups,
        }
        return [OnnxNode("Conv", ("x0", "weight", *(["bias"] if bias else [])), attrs=settings)]

    def label(self, attrs: Mapping[str, Any]) -> str:
        kernel, stride = attrs.get("kernel", 3), attrs.get("stride", 1)
        what = "depthwise" if attrs.get("groups", 1) == 0 else "conv"
        width = f" · {attrs['width']}" if "width" in attrs else f" · ×{attrs['ratio']}" if attrs.get("ratio", 1) > 1 else ""
        return f"{what} {kernel}×{kernel}{width}{f' /{stride}' if stride > 1 else ''}"


LAYER = Conv()
