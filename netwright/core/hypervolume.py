"""Hypervolume: how much of the space below a reference point a front of costs dominates, exactly (While et al. 2012 for many)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

__all__ = ["hypervolume"]

Point = tuple[float, ...]


def hypervolume(costs: Sequence[Sequence[float]], reference: Sequence[float]) -> float:
    """The volume of what some of ``costs`` dominates and what dominates ``reference``; smaller costs are better.

    Points that are not better than the reference in every objective add nothing; so do missing costs (infinite or NaN)."""
    edge = tuple(float(bound) for bound in reference)
    if any(len(point) != len(edge) for point in costs):
        raise ValueError(f"every point needs {len(edge)} costs, as the reference point has")
    inside = {tuple(map(float, point)) for point in costs if all(cost < bound for cost, bound in zip(point, edge, strict=True))}
    return _volume(sorted(inside), edge) if inside and edge else 0.0


def _volume(points: Sequence[Point], edge: Point) -> float:
    """Of distinct points in lexicographic order, all below ``edge`` everywhere."""
    if len(edge) == 1:
        return edge[0] - points[0][0]
    if len(edge) == 2:
        return _area(points, edge)
    if len(edge) == 3:
        return _sweep(points, edge)
    return _exclusive(_front(points), edge)


def _area(points: Sequence[Point], edge: Point) -> float:
    """Two objectives: strips from the left, each as high as the lowest point so far leaves."""
    area, low = 0.0, edge[1]
    for x, y in points:
        if y < low:
            area += (edge[0] - x) * (low - y)
            low = y
    return area


def _sweep(points: Sequence[Point], edge: Point) -> float:
    """Three objectives: a plane rises through the third, over the area of the points it has passed (Fonseca et al. 2006).

    ``xs``, ``ys``: that area's staircase, from left to right and from high to low."""
    xs, ys = list[float](), list[float]()
    area = volume = 0.0
    level = edge[2]
    for x, y, z in sorted(points, key=lambda point: point[2]):
        volume, level = volume + area * (z - level), z
        start = bisect_left(xs, x)
        if (start and ys[start - 1] <= y) or (start < len(xs) and xs[start] == x and ys[start] <= y):
            continue  # a point passed before dominates it
        end, left, height = start, x, ys[start - 1] if start else edge[1]
        while end < len(xs) and ys[end] >= y:  # steps that it covers from now on
            area += (xs[end] - left) * (height - y)
            left, height = xs[end], ys[end]
            end += 1
        area += ((xs[end] if end < len(xs) else edge[0]) - left) * (height - y)
        xs[start:end], ys[start:end] = [x], [y]
    return volume + area * (edge[2] - level)


def _exclusive(front: Sequence[Point], edge: Point) -> float:
    """More: the sum of what each point dominates and none after it does, found by limiting these to the point (WFG)."""
    volume = 0.0
    for k, point in enumerate(front):
        own = 1.0
        for cost, bound in zip(point, edge, strict=True):
            own *= bound - cost
        limited = sorted({tuple(map(max, point, other)) for other in front[k + 1 :]})
        volume += own - (_volume(limited, edge) if limited else 0.0)
    return volume


def _front(points: Sequence[Point]) -> list[Point]:
    """What nothing dominates. Nothing later in lexicographic order dominates anything earlier."""
    found = list[Point]()
    for point in points:
        if not any(all(a <= b for a, b in zip(other, point, strict=True)) for other in found):
            found.append(point)
    return found
