"""The few pieces of HTML that the sections are made of. Whatever comes from data is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

__all__ = ["Cell", "facts_list", "figure", "section", "table"]

Cell = tuple[str, Any] | str
"""What a cell shows, or that with the number it is sorted by."""


def section(title: str, *parts: str) -> str:
    """A titled section; nothing where all its parts are empty."""
    inner = "\n".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(title)}</h2>\n{inner}\n</section>" if inner else ""


def figure(svg: str, caption: str = "", *, wide: bool = False) -> str:
    """A drawing with a caption below; nothing where there is no drawing."""
    if not svg:
        return ""
    told = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><div class="wide">{svg}</div>{told}</figure>' if wide else f"<figure>{svg}{told}</figure>"


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]], *, sortable: bool = False, chosen: int = -1) -> str:
    """A table. Columns whose title begins with ``#`` hold numbers, with ``~`` reasons; ``chosen`` is the row to stress."""
    kinds = ["num" if title.startswith("#") else "why" if title.startswith("~") else "" for title in head]
    titles = [escape(title.lstrip("#~")) for title in head]
    if sortable:
        titles = [f'<button type="button">{title}</button>' for title in titles]

    def cell(value: Cell, kind: str) -> str:
        text, key = value if isinstance(value, tuple) else (value, None)
        data = f' data-v="{escape(str(key))}"' if key is not None else ' data-v=""' if isinstance(value, tuple) else ""
        return f"<td{_class(kind)}{data}>{escape(text)}</td>"

    heads = "".join(f'<th scope="col"{_class(kind)}>{title}</th>' for title, kind in zip(titles, kinds, strict=True))
    cells = ["".join(map(cell, row, kinds)) for row in rows]
    body = "\n".join(f"<tr{_class('chosen' * (place == chosen))}>{row}</tr>" for place, row in enumerate(cells))
    kind = _class("sortable" if sortable else "")
    return f'<div class="wide"><table{kind}><thead><tr>{heads}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def facts_list(pairs: Iterable[tuple[str, Any]]) -> str:
    """Terms with what they are; what is empty is left out."""
    kept = [(term, told) for term, told in pairs if told not in (None, "", [], {})]
    items = "".join(f"<dt>{escape(term)}</dt><dd>{escape(str(told))}</dd>" for term, told in kept)
    return f"<dl>{items}</dl>" if kept else ""


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
