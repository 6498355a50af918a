"""The layout: boxes and lines keep apart, lines cross no more than they must, labels stand where nothing else is."""

from __future__ import annotations

import itertools
import random

from netwright.report.layout import Plan, curve, placed


def crossings(plan: Plan) -> int:
    """How often an upright and a level stretch of two lines cross."""
    stretches = [(k, a, b) for k, line in enumerate(plan.lines) for a, b in itertools.pairwise(line)]
    found = 0
    for k, (ax, ay), (bx, by) in stretches:
        for m, (cx, cy), (dx, dy) in stretches:
            if k != m and ax == bx and cy == dy:
                found += min(cx, dx) < ax < max(cx, dx) and min(ay, by) < cy < max(ay, by)
    return found


def test_boxes_stand_below_what_they_read() -> None:
    sizes = [(60.0, 26.0), (150.0, 30.0), (90.0, 30.0), (22.0, 22.0)]
    plan = placed(sizes, [(0, 1, 0.0), (0, 2, 0.0), (1, 3, 0.0), (2, 3, 0.0)])
    assert [(place.width, place.height) for place in plan.boxes] == sizes
    first, left, right, last = plan.boxes
    assert first.bottom < left.top == right.top
    assert left.bottom < last.top
    assert left.right < right.left or right.right < left.left
    assert plan.width == max(place.right for place in plan.boxes)
    assert min(place.top for place in plan.boxes) == 0


def test_a_planar_graph_is_drawn_without_crossings() -> None:
    edges = [(0, 1, 0.0), (0, 2, 0.0), (0, 3, 0.0), (1, 4, 0.0), (2, 4, 0.0), (3, 5, 0.0), (4, 5, 0.0)]
    order = list(range(6))
    random.Random(3).shuffle(order)  # whatever order the boxes come in
    back = {old: new for new, old in enumerate(order)}
    assert crossings(placed([(80.0, 30.0)] * 6, [(back[i], back[j], 0.0) for i, j, _ in edges])) == 0


def test_the_smallest_graph_that_must_cross_does_so_once() -> None:
    three = [(i, j, 0.0) for i in range(3) for j in range(3, 6)]  # three boxes, each read by the same three
    plan = placed([(80.0, 30.0)] * 6, three)
    assert crossings(plan) >= 1
    assert crossings(plan) <= 9


def test_labels_keep_clear_of_boxes_lines_and_each_other() -> None:
    sizes = [(60.0, 26.0), (190.0, 30.0), (190.0, 30.0), (22.0, 22.0), (60.0, 26.0)]
    edges = [(0, 1, 60.0), (1, 2, 60.0), (2, 3, 40.0), (0, 3, 50.0), (3, 4, 30.0)]
    plan = placed(sizes, edges)
    areas = []
    for spot, (_, _, width) in zip(plan.spots, edges, strict=True):
        assert spot is not None
        assert not spot.on_line
        areas.append((spot.x, spot.y - 5, spot.x + width, spot.y + 5))
    for i, (left, top, right, bottom) in enumerate(areas):
        assert 0 <= left <= right <= plan.width
        others = areas[:i] + [(place.left, place.top, place.right, place.bottom) for place in plan.boxes]
        assert not any(left < r and le < right and top < b and t < bottom for le, t, r, b in others)


def test_frames_hold_their_boxes() -> None:
    plan = placed([(60.0, 26.0)] * 4, [(0, 1, 0.0), (1, 2, 0.0), (2, 3, 0.0)], [-1], [-1, 0, 0, -1], header=16)
    (frame,) = plan.frames
    for place in plan.boxes[1:3]:
        assert frame.left < place.left
        assert place.right < frame.right
        assert frame.top + 16 < place.top
        assert place.bottom < frame.bottom
    assert plan.boxes[0].bottom < frame.top
    assert frame.bottom < plan.boxes[3].top


def test_the_same_graph_is_laid_out_the_same() -> None:
    edges = [(i, j, 0.0) for i in range(8) for j in range(i + 1, min(i + 3, 8))]
    assert placed([(70.0, 30.0)] * 8, edges) == placed([(70.0, 30.0)] * 8, edges)


def test_corners_are_rounded() -> None:
    assert curve([(0, 0), (0, 20), (30, 20)]) == "M0.0 0.0L0.0 11.0Q0.0 20.0 9.0 20.0L30.0 20.0"
    assert curve([(0, 0), (0, 20)]) == "M0.0 0.0L0.0 20.0"
