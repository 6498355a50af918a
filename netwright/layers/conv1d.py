"""Convolution along time with padding that keeps the length (at stride 1): (time, features) → (time, width)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from netwright.core.architecture import Tensor
from netwright.errors import SpaceError
from netwright.layers.base import Cut, Layer, OnnxNode, Part, Shape, centre, expect
from netwright.layers.conv import filters

__all__ = ["LAYER"]


class Conv1d(Layer):
    """Attributes: ``width``, ``kernel`` 3, ``stride`` 1, ``dilation`` 1, ``bias`` False, ``groups`` 1 (0 is depthwise, and keeps
    the width)."""

    attributes = ("width", "kernel", "stride", "dilation", "bias", "groups")

    def read(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> tuple[int, int, int, int, int, int, bool]:
        """Steps and features in, width, kernel, stride, dilation, bias."""
        steps, features = expect(inputs[0], "a convolution along time", 2)
        kernel = attrs.get("kernel", 3)
        if kernel % 2 == 0:
            raise SpaceError(f"kernel {kernel} is even; padding cannot keep the length")
        settings = kernel, attrs.get("stride", 1), attrs.get("dilation", 1), attrs.get("bias", False)
        if attrs.get("groups", 1) == 0:
            return steps, features, features, *settings
        return steps, features, attrs["width"], *settings

    def groups(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        """How many. Raises :class:`SpaceError` where they do not divide the features."""
        _, features, width, *_ = self.read(inputs, attrs)
        groups: int = attrs.get("groups", 1) or features
        if features % groups or width % groups:
            raise SpaceError(f"{features} → {width} features cannot be split into {groups} groups")
        return groups

    def shape(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Tensor:
        steps, _, width, _, stride, *_ = self.read(inputs, attrs)
        self.groups(inputs, attrs)
        return Tensor((-(-steps // stride), width))

    def weights(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Mapping[str, Shape]:
        _, features, width, kernel, _, _, bias = self.read(inputs, attrs)
        return {"weight": (width, features // self.groups(inputs, attrs), kernel), **({"bias": (width,)} if bias else {})}

    def flops(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> int:
        steps, features, width, kernel, stride, *_ = self.read(inputs, attrs)
        return 2 * width * (features // self.groups(inputs, attrs)) * kernel * -(-steps // stride)

    def cut(self, inputs: Sequence[Part], large: Mapping[str, Any], small: Mapping[str, Any]) -> Cut:
        (x,) = inputs
        _, cin, most, widest, *_ = self.read((x.large,), large)
        _, own, width, kernel, *_ = self.read((x.small,), small)
        groups, few = self.groups((x.large,), large), self.groups((x.small,), small)
        depthwise = large.get("groups", 1) == small.get("groups", 1) == 0
        out, ins = filters(x.kept, (cin, most, groups), (own, width, few), depthwise)
        return Cut(out, {"weight": (out, ins, centre(kernel, widest)), "bias": (out,)})

    def keeps_zero(self, attrs: Mapping[str, Any]) -> bool:
        return not attrs.get("bias", False)

    def source(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> str:
        _, features, width, kernel, stride, dilation, bias = self.read(inputs, attrs)
        parts = [f"{features}, {width}, {kernel}"]
        parts += [f"stride={stride}"] * (stride != 1) + [f"padding={dilation * (kernel // 2)}"] * (kernel > 1)
        groups = self.groups(inputs, attrs)
        parts += [f"dilation={dilation}"] * (dilation != 1) + [f"groups={groups}"] * (groups != 1) + ["bias=False"] * (not bias)
        return f"Conv1d({', '.join(parts)})"

    def onnx(self, inputs: Sequence[Tensor], attrs: Mapping[str, Any]) -> Sequence[OnnxNode]:
        _, _, _, kernel, stride, dilation, bias = self.read(inputs, attrs)
        pad = dilation * (kernel // 2)
        settings = {
            "kernel_shape": [kernel],
            "strides": [stride],
            "pads": [pad, pad],
            "dilations": [dilation],
            "group": self.groups(inputs, attrs),
        }
        return [
            OnnxNode("Transpose", ("x0",), ("channels",), {"perm": [0, 2, 1]}),
            OnnxNode("Conv", ("channels", "weight", *(["bias"] if bias else [])), ("out",), settings),
            OnnxNode("Transpose", ("out",), attrs={"perm": [0, 2, 1]}),
        ]

    def label(self, attrs: Mapping[str, Any]) -> str:
        if attrs.get("groups", 1) == 0:
            return f"depthwise {attrs.get('kernel', 3)}"
        return f"conv {attrs.get('kernel', 3)} · {attrs['width']}"


LAYER = Conv1d()
