"""Recipe → objects, and whether they fit. The only file that knows every wing, and it knows them by name."""

from __future__ import annotations

import importlib
import inspect
import math
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from netwright.core.architecture import Architecture, Frame, Signature, framed, trace_from_json
from netwright.core.contracts import Device, Estimator, Infeasible, Need, Prospect, Site, Split, Strategy, Task, Vault
from netwright.core.metrics import Constraint, Known, Objective, metric, parse_limit, parse_objective, shown
from netwright.core.objectives import Goal
from netwright.core.picks import replayed
from netwright.core.space import Space
from netwright.core.trial import Fidelity, Proposal
from netwright.errors import LimitError, NetwrightError, RecipeError, SpaceError
from netwright.layers.counts import count
from netwright.models import is_network, load_file, space_of_class
from netwright.recipe import Recipe
from netwright.registry import Named, module, nested, part

__all__ = [
    "Screener",
    "build_device",
    "build_estimator",
    "build_goal",
    "build_space",
    "build_strategy",
    "check",
    "network",
    "outputs",
    "plain_references",
    "reference_inputs",
    "reference_networks",
    "resolve",
    "scorer",
    "space_needs",
    "strategy_of",
    "worker",
]


def resolve(recipe: Recipe, task: Task) -> Recipe:
    """Fill in what the person left open, from the task; the result holds everything that was decided."""
    objectives = list(recipe.objectives)
    scores = task.metrics()
    given = [parse_objective(text.split(" ")[-1]) for text in objectives]
    for objective in given:
        if metric(objective.metric).source == "scored" and objective.metric not in scores:
            raise LimitError(f"{objective.metric} is no score of a {task.kind} task", todo=f"Choose one of {', '.join(scores)}.")
    if not any(metric(objective.metric).source == "scored" for objective in given):
        objectives.insert(0, f"maximize {scores[0]}")
    usual = next((space for need, space in USUAL.items() if need in task.offers), "mlp")
    space = recipe.space or usual
    resolved = replace(recipe, objectives=tuple(objectives), space=space)
    goal = build_goal(resolved)
    plain = tuple(text.replace(f"@{recipe.device}", "") for text in recipe.limits)
    if Need.IMAGES not in task.offers and recipe.estimator == "train":
        resolved = resolved.with_options({"estimator": {**_for_tables(recipe, task), **recipe.of("estimator")}})
    return replace(resolved, objectives=tuple(str(objective) for objective in goal.objectives), limits=plain)


USUAL = {Need.IMAGES: "chain", Need.SEQUENCES: "conv1d"}
"""The space that is searched where none is named, by what a task offers; ``mlp`` for what else there is."""

LEAST_STEPS = 100
"""Steps that a training on a table has at least: few rows are passed over more often."""


def _for_tables(recipe: Recipe, task: Task) -> dict[str, Any]:
    """Settings of ``train``. Longer trainings overfit: the winner is trained as long as it was in the search."""
    told = task.describe()
    steps = max(1, math.ceil(told.get("rows", {}).get("train", 0) / told.get("options", {}).get("batch", 64)))
    usual = max(part("estimators", "train")().epochs, math.ceil(LEAST_STEPS / steps))
    epochs = recipe.of("estimator").get("epochs", usual)
    return {"optimizer": "adamw", "epochs": epochs, "final_epochs": epochs}


def build_goal(recipe: Recipe, known: Known | None = None) -> Goal:
    """Objectives, the task's score first, and limits. A metric measured on the run's own device goes by its plain name.
    ``known``: metrics of a table; their order is kept."""

    def objective(text: str) -> Objective:
        verb, _, name = text.rpartition(" ")
        found = parse_objective(name, {"maximize": True, "minimize": False}.get(verb.strip()), known)
        return replace(found, device=_device(found.device, recipe))

    objectives = [objective(text) for text in recipe.objectives]
    if known is None:
        objectives.sort(key=lambda o: metric(o.metric).source != "scored")
    limits: list[Constraint] = []
    for text in recipe.limits:
        limit = parse_limit(text, known)
        limits.append(replace(limit, device=_device(limit.device, recipe)))
    return Goal(tuple(dict.fromkeys(objectives)), tuple(dict.fromkeys(limits)))


def _device(name: str, recipe: Recipe) -> str:
    if name and name != recipe.device:
        raise LimitError(f"no device {name!r} in this run", todo=f"It runs on {recipe.device!r}; choose with --device.")
    return ""


class Screener:
    """The counted limits as what a space accepts; counts the drafts that it turned away."""

    def __init__(self, limits: Sequence[Constraint], frame: Frame) -> None:
        self.limits, self.frame, self.turned_away = limits, frame, 0

    def __call__(self, architecture: Architecture) -> Mapping[str, float]:
        counts = count(framed(architecture, self.frame), self.frame.raw)
        values = {limit.key: counts.value(limit.metric) for limit in self.limits}
        broken = {
            f"{limit.key} {shown(limit.metric, values[limit.key])}, over {limit}": limit.excess(values[limit.key])
            for limit in self.limits
            if limit.excess(values[limit.key]) > 0
        }
        self.turned_away += bool(broken)
        return broken


def build_space(
    recipe: Recipe, signature: Signature, frame: Frame | None = None, goal: Goal | None = None
) -> tuple[Space, Screener | None]:
    """The space for a signature, accepting only what meets the counted limits of ``goal`` inside ``frame``."""
    found = _space_module(recipe.space)
    maker = getattr(found, recipe.space.rpartition(":")[2] if ":" in recipe.space else "space")
    settings = recipe.of("space")
    if is_network(maker):
        maker = partial(space_of_class, maker)
    elif inspect.isfunction(maker):
        settings = _options("space", recipe.space, maker, settings)
    space: Space = _built(maker, signature, settings, recipe.space) if callable(maker) else maker
    if not isinstance(space, Space):
        raise SpaceError(f"it is a {type(space).__name__}, not a Space", where=recipe.space, todo="See docs/spaces/own.md.")
    limits = [limit for limit in goal.limits if metric(limit.metric).source == "counted"] if goal else []
    screener = Screener(limits, frame or Frame(signature)) if limits else None
    return space.screened(screener), screener


def _built(maker: Callable[..., Any], signature: Signature, settings: Mapping[str, Any], name: str) -> Any:
    """What the function of a space returns; whatever it stumbles over is said of the space and its inputs."""
    try:
        return maker(signature, **settings)
    except NetwrightError:
        raise
    except Exception as error:  # a person's own code may raise anything
        shapes = ", ".join(f"{name} {tensor.shape}" for name, tensor in signature.inputs)
        todo = (
            "Look for other inputs, or for a mistake in its file." if ":" in name else "Give it inputs of its kind: see its page."
        )
        told = f"{type(error).__name__}: {error}"
        raise SpaceError(f"it cannot be built for input {shapes} ({told})", where=name, todo=todo) from error


def space_needs(name: str) -> frozenset[Need]:
    """What a space needs of the data."""
    found: frozenset[Need] = getattr(_space_module(name), "needs", frozenset())
    return found


def _space_module(name: str) -> ModuleType:
    """A space of the folder, or ``file.py:name`` of a person's own."""
    if ":" not in name:
        return module("spaces", name)
    path, _, attribute = name.rpartition(":")
    found = load_file(path)
    if not hasattr(found, attribute):
        todo = "Name a Space, a function of the signature, or a class of networks."
        raise RecipeError(f"it has no {attribute!r}", where=path, todo=todo)
    return found


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}


def _options(kind: str, name: str, maker: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a part's constructor knows; an unknown one, or one of another kind than its default, is an error."""
    known = {p.name: p.default for p in inspect.signature(maker).parameters.values() if p.kind is p.KEYWORD_ONLY}
    for option, value in given.items():
        if option not in known:
            what = f"Its settings: {', '.join(known)}." if known else "It has no settings."
            raise RecipeError(f"{kind} {name} has no setting {option!r}", todo=what)
        wanted = float if known[option] is None else type(known[option])
        if wanted in _KINDS and type(value) is not wanted and not (wanted is float and type(value) is int):
            raise RecipeError(f"{kind}.{option} cannot be {value!r}", todo=f"It is {_KINDS[wanted]}.")
        if isinstance(value, float) and not math.isfinite(value):
            raise RecipeError(f"{kind}.{option} cannot be {value!r}", todo="It is a finite number.")
    return dict(given)


def build_strategy(recipe: Recipe, space: Space, goal: Goal, prospect: Prospect | None = None) -> Strategy:
    """What the recipe names: ``asha[eta=4](bayes)``. Settings given apart go to the parts that know them."""
    return strategy_of(recipe.strategy, space, goal, recipe.seed, prospect or Prospect(), recipe.of("strategy"))


def strategy_of(
    text: str, space: Space, goal: Goal, seed: int, prospect: Prospect, given: Mapping[str, Any] | None = None
) -> Strategy:
    """A strategy from its name, wrappers and all. ``peers/NAME`` is another tool's, as ``netwright bench`` compares it."""
    built: Strategy = _stacked("strategy", nested(text, "strategy"), given or {}, (space, goal, seed), {"prospect": prospect})
    return built


def _maker(kind: str, name: str) -> Any:
    if kind == "estimator":
        return part("estimators", name)
    return part("peers", name.removeprefix("peers/")) if name.startswith("peers/") else part("strategies", name)


def _stacked(
    kind: str, stack: Sequence[Named], given: Mapping[str, Any], arguments: tuple[Any, ...], told: Mapping[str, Any]
) -> Any:
    """``outer(inner)`` as an object. Each part takes the settings that it knows, those given with its own name first."""
    text = "(".join(named.name for named in stack) + ")" * (len(stack) - 1)
    makers = [_maker(kind, named.name) for named in stack]
    takes = [inspect.signature(maker).parameters for maker in makers]
    known = [[p.name for p in parameters.values() if p.kind is p.KEYWORD_ONLY] for parameters in takes]
    for option in given:
        if not any(option in options for options in known):
            every = ", ".join(option for options in known for option in options)
            todo = f"Its settings: {every}." if every else f"It has none: name the {kind} whose setting it is, with --{kind}."
            raise RecipeError(f"{kind} {text} has no setting {option!r}", todo=todo)
    if kind == "strategy" and sum("inner" in parameters for parameters in takes) > 1:
        what = f"strategy {text!r} cannot be built: two of its parts say how long trials train"
        raise RecipeError(what, todo=f'Write "{stack[0].name}(evolution)".')
    built: Any = None
    for named, maker, parameters, options in reversed([*zip(stack, makers, takes, known, strict=True)]):
        if ("inner" in parameters) != (built is not None):
            usual = {"strategy": "evolution", "estimator": "train"}[kind]
            wraps = "inner" in parameters
            todo = f'Write "{named.name}({usual})".' if wraps else f"{named.name} takes no other {kind} inside."
            raise RecipeError(f"{kind} {text!r} cannot be built", todo=todo)
        settings = {**{option: value for option, value in given.items() if option in options}, **named.options}
        if twice := [option for option in named.options if option in given]:
            raise RecipeError(f"{kind} {named.name} is given {twice[0]!r} in its name and apart", todo="Give it once.")
        also = {name: value for name, value in {**told, "inner": built}.items() if name in parameters}
        built = maker(*arguments, **also, **_options(kind, named.name, maker, settings))
    return built


def build_device(recipe: Recipe) -> Device:
    device: Device = _made("device", recipe.device, part("devices", recipe.device), (), recipe.of("device"))
    return device


def build_estimator(recipe: Recipe) -> Estimator:
    """``stages`` around what the recipe names, unless it names its wrappers itself: ``stages(train)``. Each of them takes the
    settings that it knows."""
    given = {**({"table": recipe.table} if recipe.table else {}), **recipe.of("estimator")}
    built: Estimator = _stacked("estimator", _estimators(recipe.estimator), given, (), {})
    return built


def _estimators(text: str) -> list[Named]:
    """``stages(train)`` as its parts; a name alone gets ``stages`` around it."""
    found = nested(text, "estimator")
    if len(found) == 1 and found[0].name != "stages" and Need.TABLE not in part("estimators", found[0].name).needs:
        return [Named("stages"), *found]  # a table has counts and latencies of its own
    return found


def _made(kind: str, name: str, maker: Callable[..., Any], arguments: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
    return maker(*arguments, **_options(kind, name, maker, options))


def check(recipe: Recipe, task: Task) -> list[str]:
    """What does not fit, in sentences with the way out; empty where all of it does."""
    space = _space_module(recipe.space)
    parts: dict[str, Any] = {
        f"space {recipe.space}": space,
        f"estimator {recipe.estimator}": build_estimator(recipe),
    }
    parts |= {f"strategy {named.name}": _maker("strategy", named.name) for named in nested(recipe.strategy, "strategy")}
    offered: frozenset[Need] = frozenset(task.offers)
    if len(recipe.objectives) < 2:
        offered |= {Need.ONE_OBJECTIVE}
    for found in parts.values():
        offered |= getattr(found, "offers", frozenset())
    return [
        f"{name} needs {need.value}, which this {task.kind} task and the other parts do not offer; choose another"
        for name, found in parts.items()
        for need in getattr(found, "needs", frozenset()) - offered
    ]


def network(architecture: Architecture, task: Task, blob: bytes) -> Any:
    """A network with the weights of a checkpoint, in eval mode: a torch module from the task's preprocessed inputs to outputs."""
    safetensors = importlib.import_module("safetensors.torch")
    made = importlib.import_module("netwright.nets.net").Net(architecture, task.signature)
    made.load_tensors(safetensors.load(blob))
    return made.eval()


def outputs(model: Any, task: Task, split: Split) -> Any:
    """What a network gives for every row of a split, in order: a numpy array of shape (rows, …)."""
    torch = importlib.import_module("torch")
    with torch.inference_mode():
        return torch.cat([model(batch.x).float() for batch in task.batches(split, Fidelity())]).numpy()


def scorer(task: Task) -> Callable[[Any, Any], Mapping[str, float]]:
    """All scores of outputs against labels (or against targets in their own unit), for any choice of rows."""
    scores = importlib.import_module("netwright.tasks.scores")
    if task.kind == "classification":
        found: Callable[[Any, Any], Mapping[str, float]] = scores.classification_scores
        return found
    attrs = dict(task.frame.back[0][1]) if task.frame.back else {"mean": (0.0,), "std": (1.0,)}
    mean, std = attrs["mean"][0], attrs["std"][0]
    return lambda outputs, labels: dict(scores.regression_scores(outputs * std + mean, labels))


def plain_references() -> Sequence[str]:
    """Names of the models that need no network."""
    names: Sequence[str] = importlib.import_module("netwright.references").PLAIN
    return names


def reference_networks(signature: Signature) -> dict[str, Architecture]:
    """The fixed networks for images, by name."""
    names = importlib.import_module("netwright.references").NETWORKS
    return {name: importlib.import_module(f"netwright.references.{name}").architecture(signature) for name in names}


def reference_inputs(task: Task, split: Split) -> Any:
    """The rows of a split as the plain references take them: a numpy array of shape (rows, features)."""
    return importlib.import_module("netwright.references").features(task, (split,))[0]


# ---- in a worker ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bench:
    """What a worker builds once."""

    task: Task
    space: Space
    estimator: Estimator
    device: Device
    vault: Vault
    goal: Goal
    seed: int


HERE: dict[str, Task] = {}
"""Tasks of a person's own class, which cannot travel: their work is done in this process."""


def worker(argument: Mapping[str, Any]) -> Callable[[str, Mapping[str, Any]], Iterator[dict[str, Any]]]:
    """What a runner calls once in each worker: builds the parts, returns what does a job.

    ``argument``: ``recipe`` (JSON), ``folder`` (the run's), and ``task`` where it is a key of :data:`HERE`.
    """
    recipe = Recipe.from_json(argument["recipe"])
    folder = Path(argument["folder"])
    task = HERE.get(argument.get("task", "")) or importlib.import_module("netwright.tasks.load").restore(folder / "data")
    goal = build_goal(recipe)
    vault = importlib.import_module("netwright.stores.vault").FileVault(folder / "vault")
    space, _ = build_space(recipe, task.signature)
    bench = _Bench(task, space, build_estimator(recipe), build_device(recipe), vault, goal, recipe.seed)

    def work(kind: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        start = time.perf_counter()
        if kind == "reference":
            yield from importlib.import_module("netwright.references").work(bench.task, body)
            return
        try:
            for measurement in _estimates(bench, kind, body):
                yield {"kind": "measured", "body": measurement.to_json()}
        except Infeasible as broken:
            seconds = time.perf_counter() - start
            yield {"kind": "infeasible", "reason": str(broken), "body": {**broken.measurement.to_json(), "seconds": seconds}}
            return
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts KiB
        yield {"kind": "finished", "body": {"seconds": time.perf_counter() - start, "peak_mib": peak}}

    return work


def _estimates(bench: _Bench, kind: str, body: Mapping[str, Any]) -> Iterator[Any]:
    if "architecture" in body:
        architecture = Architecture.from_json(body["architecture"])
    else:
        architecture = replayed(bench.space, dict(trace_from_json(body["trace"])))
    notes = {name: body[name] for name in ("twin", "continues") if name in body}
    proposal = Proposal(architecture, Fidelity.from_json(body["fidelity"]), notes=notes)
    final = kind == "final"
    goal = Goal(bench.goal.objectives[:1]) if final else bench.goal  # the score alone: what it costs is known by then
    seed, number = int(body.get("seed", bench.seed)), int(body.get("root", body["number"]))
    site = Site(bench.task, bench.device, bench.vault, goal, seed, number, bool(body["noisy"]))
    yield from bench.estimator.estimate(proposal, site)
