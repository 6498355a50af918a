"""Drawings are well formed and show every layer that does something."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from netwright.core.architecture import Architecture, Node, Signature, Tensor
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.layers.counts import count
from netwright.report.draw import draw
from netwright.spaces.chain import space
from netwright.testing.sample_log import SIGNATURE

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text")]


def conv(x: int, path: str, width: int = 8) -> Node:
    return Node("conv", (x,), (("kernel", 3), ("width", width)), path)


def network(*nodes: Node) -> Architecture:
    return Architecture(nodes, (len(nodes) - 1,))


@pytest.mark.parametrize("number", range(8))
def test_the_parameters_shown_add_up_to_those_counted(number: int) -> None:
    architecture = sample(space(SIGNATURE), stream(number, 0, "draw"))
    root = ET.fromstring(draw(architecture, SIGNATURE))
    column = [text.text or "" for text in root.iter(f"{SVG}text") if text.attrib.get("class") == "soft num"]
    assert column[-2:] == ["output", "parameters"]
    projections = [text.rpartition(" · ")[2] for text in texts(ET.tostring(root, "unicode")) if text.startswith("project")]
    shown = [*column[1:-2:2], *projections]
    assert sum(int(text.replace(",", "")) for text in shown if text != "–") == count(architecture, SIGNATURE).params


def test_normalisation_and_activation_stand_in_the_box_before() -> None:
    svg = draw(
        network(conv(-1, "a"), Node("batch_norm", (0,), (), "b"), Node("activation", (1,), (("kind", "relu"),))), SIGNATURE
    )
    assert "conv 3×3 · 8batch norm, relu" in texts(svg)
    assert svg.count('class="box"') == 1


def test_an_activation_that_another_layer_does_not_follow_alone_is_a_box() -> None:
    nodes = (conv(-1, "a"), Node("activation", (0,), (("kind", "relu"),)), Node("sum", (0, 1)))
    assert draw(network(*nodes), SIGNATURE).count('<rect class="box"') == 2


def test_skips_pass_beside_and_identities_are_left_out() -> None:
    nodes = (conv(-1, "a"), conv(0, "b"), conv(1, "c"), Node("identity", (0,)), Node("sum", (2, 3)))
    svg = draw(network(*nodes), SIGNATURE)
    assert svg.count('class="edge skip"') == 1
    assert svg.count("<circle") == 1
    assert "identity" not in svg


def test_weights_that_are_shared_are_counted_once_and_said() -> None:
    svg = draw(network(conv(-1, "stem"), conv(0, "a"), conv(1, "a")), SIGNATURE)
    assert texts(svg).count("shared") == 1


def test_parallel_branches_stand_side_by_side() -> None:
    nodes = (conv(-1, "a"), conv(0, "b"), conv(0, "c"), Node("sum", (1, 2)))
    root = ET.fromstring(draw(network(*nodes), SIGNATURE))
    boxes = [box.attrib for box in root.iter(f"{SVG}rect") if box.attrib["class"] == "box"]
    left, right = boxes[1:]
    assert left["y"] == right["y"]
    assert float(left["x"]) + float(left["width"]) < float(right["x"])


def test_names_of_inputs_are_escaped() -> None:
    signature = Signature((("<script>", Tensor((1, 8, 8))),), SIGNATURE.heads)
    svg = draw(network(conv(-1, "a")), signature)
    assert "<script>" not in svg
    assert "<script> · 1×8×8" in texts(svg)
