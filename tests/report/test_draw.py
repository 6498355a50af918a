"""Drawings of architectures are well formed, show every layer that does something, and let nothing overlap."""

from __future__ import annotations

import itertools
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest

from netwright.core.architecture import Architecture, Node, Signature, Tensor
from netwright.core.picks import sample
from netwright.core.seeds import stream
from netwright.example import look
from netwright.layers.counts import count
from netwright.registry import listed
from netwright.report import draw as drawing
from netwright.report.draw import draw
from netwright.report.folding import FEW, folded
from netwright.report.ink import wide
from netwright.report.layout import Plan, placed
from netwright.report.units import units_of
from netwright.testing.sample_log import SIGNATURE

SVG = "{http://www.w3.org/2000/svg}"
every_space = pytest.mark.parametrize("name", listed("spaces"))


def texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text")]


def conv(x: int, path: str, width: int = 8, kernel: int = 3) -> Node:
    return Node("conv", (x,), (("kernel", kernel), ("width", width)), path)


def network(*nodes: Node) -> Architecture:
    return Architecture(nodes, (len(nodes) - 1,))


def member(name: str, number: int) -> tuple[Architecture, Signature]:
    space, signature = look(name)
    return sample(space, stream(number, 0, "draw")), signature


def main(element: ET.Element) -> Iterator[ET.Element]:
    """What is drawn outside the parts that letters stand for."""
    for child in element:
        if not child.attrib.get("class", "").startswith("part"):
            yield child
            yield from main(child)


def overlapping(plan: Plan) -> list[Any]:
    wrong: list[Any] = []
    for i, a in enumerate(plan.boxes):
        for b in plan.boxes[:i]:
            if a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom:
                wrong.append((a, b))
    return wrong


def crossing(plan: Plan, edges: list[tuple[int, int, float]]) -> list[Any]:
    """Lines that pass through a box that they do not belong to."""
    wrong: list[Any] = []
    for (start, end, _), line in zip(edges, plan.lines, strict=True):
        for k, place in enumerate(plan.boxes):
            for (a, b), (c, d) in itertools.pairwise(line):
                left, right, top, bottom = min(a, c), max(a, c), min(b, d), max(b, d)
                inside = left < place.right - 1 and right > place.left + 1 and top < place.bottom - 1 and bottom > place.top + 1
                if k not in (start, end) and inside:
                    wrong.append((start, end, k))
    return wrong


# ---- every space ------------------------------------------------------------------------------------------------------


@every_space
def test_members_of_every_space_are_drawn_without_overlaps(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[tuple[Plan, Any]] = []

    def noted(sizes: Any, edges: Any, *rest: Any, **named: Any) -> Plan:
        plans.append((placed(sizes, edges, *rest, **named), edges))
        return plans[-1][0]

    monkeypatch.setattr(drawing, "placed", noted)
    for number in range(3):
        architecture, signature = member(name, number)
        root = ET.fromstring(draw(architecture, signature))
        shown = sum(int(box.attrib.get("data-params", 0)) for box in main(root))
        assert shown == count(architecture, signature).params
    for plan, edges in plans:
        assert not overlapping(plan)
        assert not crossing(plan, edges)


@every_space
def test_every_node_is_in_a_box_unless_it_does_nothing(name: str) -> None:
    architecture, signature = member(name, 1)
    units = units_of(architecture, signature)
    shown = sorted(node for unit in units for node in unit.nodes)
    assert len(shown) == len(set(shown))
    left = [architecture.nodes[i].op for i in sorted(set(range(len(architecture.nodes))) - set(shown))]
    assert set(left) <= {"identity", "project", "zero", "sum"}
    graph, parts = folded(units)
    assert len(graph.units) <= len(units)
    told = {unit.label for unit in graph.units if unit.kind == "part"}
    told |= {unit.label for part in parts for unit in part.graph.units if unit.kind == "part"}
    assert told == {part.letter for part in parts}


@every_space
def test_a_drawing_is_quick(name: str) -> None:
    architecture, signature = member(name, 2)
    draw(architecture, signature)
    taken = []
    for _ in range(3):
        start = time.process_time()
        draw(architecture, signature)
        taken.append(time.process_time() - start)
    assert min(taken) < 0.1


# ---- boxes ------------------------------------------------------------------------------------------------------------


def test_normalisation_and_activation_stand_in_the_box_before() -> None:
    nodes = (conv(-1, "a.0"), Node("batch_norm", (0,), (), "a.1"), Node("activation", (1,), (("kind", "relu"),), "a.2"))
    svg = draw(network(*nodes), SIGNATURE)
    assert "conv 3×3 · 8batch norm, relu" in texts(svg)
    assert svg.count('<rect class="box"') == 1


def test_what_comes_first_stands_in_the_box_after() -> None:
    relu = Node("activation", (-1,), (("kind", "relu"),), "a.0")
    svg = draw(network(relu, conv(0, "a.1"), Node("batch_norm", (1,), (), "a.2")), SIGNATURE)
    assert "reluconv 3×3 · 8batch norm" in texts(svg)


def test_an_activation_that_another_layer_does_not_follow_alone_is_a_box() -> None:
    nodes = (conv(-1, "a"), Node("activation", (0,), (("kind", "relu"),)), Node("sum", (0, 1)))
    assert draw(network(*nodes), SIGNATURE).count('<rect class="box"') == 2


def test_skips_are_lines_and_identities_are_left_out() -> None:
    nodes = (conv(-1, "a"), conv(0, "b"), conv(1, "c"), Node("identity", (0,)), Node("sum", (2, 3)))
    svg = draw(network(*nodes), SIGNATURE)
    assert svg.count('class="edge skip"') == 1
    assert svg.count("<circle") == 1
    assert "identity" not in svg


def test_shapes_stand_where_they_change() -> None:
    nodes = (conv(-1, "a"), conv(0, "b"), Node("max_pool", (1,), (("kernel", 2),), "c"), conv(2, "d"))
    told = texts(draw(network(*nodes), SIGNATURE))
    assert told.count("8×8×8") == 1
    assert told.count("8×4×4") == 1


def test_zeros_in_a_sum_are_left_out_and_what_nothing_reads_is_faint() -> None:
    nodes = (conv(-1, "a"), conv(0, "b"), Node("zero", (1,), (), "c"), Node("sum", (0, 2), (), "d"), conv(3, "e"))
    svg = draw(network(*nodes), SIGNATURE)
    assert "zero" not in svg
    assert svg.count("unread") == 2  # in the style, and on the box of b
    assert "nothing reads it" in svg


def test_weights_that_are_shared_are_counted_once_and_said() -> None:
    svg = draw(network(conv(-1, "stem"), conv(0, "a"), conv(1, "a")), SIGNATURE)
    assert texts(svg).count("shared") == 1


def test_parallel_branches_stand_side_by_side() -> None:
    nodes = (conv(-1, "a"), conv(0, "b"), conv(0, "c"), Node("sum", (1, 2)))
    root = ET.fromstring(draw(network(*nodes), SIGNATURE))
    boxes = [box.attrib for box in root.iter(f"{SVG}rect") if box.attrib["class"] == "box"]
    left, right = sorted(boxes[1:], key=lambda box: float(box["x"]))
    assert left["y"] == right["y"]
    assert float(left["x"]) + float(left["width"]) < float(right["x"])


def test_names_are_escaped_and_the_drawing_is_described() -> None:
    signature = Signature((("<script>", Tensor((1, 8, 8))),), SIGNATURE.heads)
    svg = draw(network(conv(-1, 'a&"<b>')), signature, title="<i>x</i>")
    assert "<script>" not in svg
    assert "<i>" not in svg
    assert "<script> · 1×8×8" in texts(svg)
    root = ET.fromstring(svg)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == root.findtext(f"{SVG}title") == "<i>x</i>"
    assert "parameters" in (root.findtext(f"{SVG}desc") or "")


def test_text_is_not_wider_than_was_reckoned() -> None:
    """Measured in DejaVu Sans, the widest of the usual fonts."""
    from matplotlib import get_data_path
    from PIL import ImageFont

    font = ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf", 120)
    told = {"newest input", "squeeze-excite /4", "LIF ≥ 1.5", "(35%) × 12 → −3 | WMmw@", "conv 3×3 · 32|64 /2 at each step"}
    for name in ("nasbench201", "mobilenet", "multimodal"):
        told |= set(texts(draw(*member(name, 0))))
    for text in told:
        assert wide(text) >= font.getlength(text) / 10 * 0.98, text


# ---- folding ----------------------------------------------------------------------------------------------------------


def stages(depths: tuple[int, ...]) -> Architecture:
    """Residual blocks of two convolutions in stages."""
    nodes = [conv(-1, "stem")]
    for stage, depth in enumerate(depths):
        nodes.append(conv(len(nodes) - 1, f"net.{stage}.down", 8 * 2**stage, 1))
        for block in range(depth):
            x, path = len(nodes) - 1, f"net.{stage}.blocks.{block}"
            nodes += [conv(x, f"{path}.0", 8 * 2**stage), conv(x + 1, f"{path}.1", 8 * 2**stage)]
            nodes.append(Node("sum", (x + 2, x), (), f"{path}.sum"))
    return network(*nodes)


def test_a_small_network_is_drawn_as_it_is() -> None:
    graph, parts = folded(units_of(stages((3,)), SIGNATURE))
    assert not parts
    assert not graph.frames
    assert len(graph.units) <= FEW + 2


def test_a_part_in_several_places_gets_a_letter_and_a_run_is_drawn_once() -> None:
    graph, parts = folded(units_of(stages((4, 5)), SIGNATURE))
    assert [part.letter for part in parts] == ["A"]
    assert [(unit.label, unit.times) for unit in graph.units if unit.kind == "part"] == [("A", 4), ("A", 5)]
    inside = [unit.told for unit in parts[0].graph.units if unit.kind == "box"]
    assert inside == ["conv 3×3 · 8|16", "conv 3×3 · 8|16"]


def test_a_part_in_one_run_alone_is_drawn_in_a_frame() -> None:
    architecture = stages((6,))
    graph, parts = folded(units_of(architecture, SIGNATURE))
    assert not parts
    assert [frame.title for frame in graph.frames] == ["× 6"]
    assert sum(unit.weight for unit in graph.units) == count(architecture, SIGNATURE).params


def test_parts_that_differ_in_more_than_width_are_not_one() -> None:
    nodes = list(stages((4, 4)).nodes)
    nodes[6] = conv(nodes[6].inputs[0], nodes[6].weights, 8, 1)  # another kernel in one block
    graph, _ = folded(units_of(network(*nodes), SIGNATURE))
    assert sum(unit.times for unit in graph.units if unit.kind == "part") == 7


def test_one_recurrence_stands_in_a_frame() -> None:
    architecture, signature = member("recurrent_cell", 1)
    svg = draw(architecture, signature)
    assert "once for each step" in texts(svg)
    assert any("next h0" in text for text in texts(svg))
