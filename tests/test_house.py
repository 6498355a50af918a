"""The house guards itself: who may import whom, what is visible, what is documented, what no line may do."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSE = ROOT / "netwright"
FILES = sorted(HOUSE.rglob("*.py"))
IDS = [str(file.relative_to(ROOT)) for file in FILES]
every_file = pytest.mark.parametrize("file", FILES, ids=IDS)

# ---- the import table -------------------------------------------------------------------------------------------------

MAY: dict[str, str] = {
    # room → rooms of Netwright that it may import, itself apart
    "errors": "",
    "core": "errors",
    "layers": "errors core",
    "spaces": "errors core layers",
    "strategies": "errors core layers registry surrogates",
    "surrogates": "errors core layers",
    "peers": "errors core layers",
    "nets": "errors core layers",
    "tasks": "errors core layers nets",
    "devices": "errors core layers nets",
    "estimators": "errors core layers nets tables",
    "export": "errors core layers nets",
    "references": "errors core layers",
    "stores": "errors core layers",
    "runners": "errors core layers",
    "report": "errors core layers",
    "loop": "errors core layers",
    "tables": "errors core layers registry recipe",
    "registry": "errors core",
    "recipe": "errors core registry",
    "models": "errors core layers registry",
    "compose": "errors core layers registry recipe models",
    "example": "errors core layers recipe compose",
    "lint": "errors core layers",
    "session": "errors core recipe loop",
    "rounds": "errors core recipe",
    "forecast": "errors core layers recipe compose loop session",
    "verdict": "errors core compose loop session",
    "control": "errors core layers recipe compose loop session forecast verdict",
    "opening": "errors core layers registry recipe compose loop session forecast",
    "course": "errors core recipe compose loop session forecast control opening report export",
    "replay": "errors core recipe compose loop session rounds opening tables report",
    "bench": "errors core registry recipe compose loop replay tables report",
    "api": "errors core layers registry recipe compose example lint loop session rounds forecast control opening course replay report"
    " export",
    "drawing": "errors core layers recipe compose example api report",
    "cli": "errors core registry recipe models example drawing api report tables bench",
    "testing": "*",  # the kits know what they test
    "__init__": "core api",
    "__main__": "cli",
}

BY_NAME = {"bench", "compose", "models", "opening", "registry", "replay"}
"""Those who may load a wing by its name; everyone else may load what the table lets him import."""

OTHERS: dict[str, str] = {
    # room → packages beside the standard library that it may import; a star: inside a function only
    "tasks": "torch numpy sklearn* PIL* pyarrow* psutil*",
    "nets": "torch numpy onnx safetensors",
    "devices": "torch numpy onnx onnxruntime*",
    "estimators": "torch numpy safetensors",
    "export": "torch numpy onnx onnxscript* onnxruntime safetensors",
    "tables": "numpy* pyarrow*",
    "references": "numpy sklearn*",
    "stores": "sqlalchemy",
    "runners": "psutil*",
    "report": "matplotlib* numpy* graphlay*",
    "recipe": "tomli_w",
    "strategies": "numpy scipy torch* botorch* gpytorch* optuna*",
    "surrogates": "numpy scipy sklearn* torch* lightgbm*",
    "peers": "numpy* optuna* smac* ConfigSpace* pymoo* syne_tune* deephyper*",
    "control": "numpy torch*",
    "verdict": "numpy",
    "bench": "numpy* scipy* pyarrow* matplotlib*",
    "compose": "torch* safetensors*",
    "opening": "psutil*",
    "cli": "typer rich onnx* onnxruntime* torch* psutil* pyarrow* numpy*",
    "testing": "torch numpy onnx onnxruntime safetensors psutil pyarrow*",
}

# Files that may do what the rest may not, each for a reason.
PRINTS = {"cli", "stores/repair.py", "testing/store.py"}  # a command of its own; a child process that tells its parent
READS_ENVIRONMENT = {"recipe.py", "runners/local.py"}  # the latter sets, and puts back, the thread counts its workers inherit
LONGEST = 400


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def room(file: Path) -> str:
    return file.relative_to(HOUSE).parts[0].removesuffix(".py")


def inside(file: Path) -> str:
    return file.relative_to(HOUSE).as_posix()


def imports(file: Path) -> Iterator[tuple[str, int, bool]]:
    """Every module that a file imports or loads by a constant name: module, line, whether inside a function."""

    def walk(node: ast.AST, lazy: bool) -> Iterator[tuple[str, int, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue
            if isinstance(child, ast.Import):
                yield from ((alias.name, child.lineno, lazy) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{inside(file)}:{child.lineno}: write the whole name of what is imported"
                for alias in child.names:
                    below = f"{child.module}.{alias.name}"
                    yield (below if _is_module(below) else str(child.module)), child.lineno, lazy
            elif isinstance(child, ast.Call) and ast.unparse(child.func).endswith("import_module") and child.args:
                name = child.args[0].values[0] if isinstance(child.args[0], ast.JoinedStr) else child.args[0]
                if isinstance(name, ast.Constant):
                    yield str(name.value).rstrip("."), child.lineno, True
            yield from walk(child, lazy or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))

    return walk(tree(file), False)


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return name.startswith("netwright.") and (path.is_dir() or path.with_suffix(".py").is_file())


@every_file
def test_the_import_table(file: Path) -> None:
    mine = room(file)
    assert mine in MAY, f"{mine} is a new room: give it a line in MAY, and in docs/decisions/"
    may, packages = set(MAY[mine].split()), dict.fromkeys(OTHERS.get(mine, "").split())
    wrong = []
    for name, line, lazy in imports(file):
        first, _, rest = name.partition(".")
        if first == "netwright":
            other = rest.partition(".")[0] or "__init__"
            loaded = mine in BY_NAME and lazy
            if "*" not in may and other != mine and other not in may and not loaded:
                wrong.append(f"{inside(file)}:{line}: {mine} may not import {name}")
        elif first not in sys.stdlib_module_names and first not in packages and not (lazy and f"{first}*" in packages):
            wrong.append(f"{inside(file)}:{line}: {mine} may not import {name}{'' if lazy else ' at its top'}")
        elif first == "sqlite3" and mine != "stores":
            wrong.append(f"{inside(file)}:{line}: SQL belongs in stores")
    assert not wrong, "\n".join(wrong)


def test_every_room_of_the_table_is_there() -> None:
    assert set(MAY) == {room(file) for file in FILES}


@pytest.mark.parametrize("wing", ["layers", "spaces"])
def test_what_is_plain_data_needs_the_standard_library_only(wing: str) -> None:
    """``core`` too, in a fresh process: nothing that they pull in may pull in more."""
    code = (
        "import importlib, json, pathlib, sys\n"
        f"for f in sorted(pathlib.Path('netwright/{wing}').glob('*.py')) + sorted(pathlib.Path('netwright/core').glob('*.py')):\n"
        "    importlib.import_module('.'.join(f.with_suffix('').parts))\n"
        "print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules if not m.startswith('_')})))"
    )
    loaded = set(json.loads(fresh(code)))
    assert not loaded & {"torch", "numpy", "sklearn", "sqlalchemy", "onnx", "rich", "typer"}


# ---- light to load ----------------------------------------------------------------------------------------------------

HEAVY = {"torch", "numpy", "sqlalchemy", "sklearn", "scipy", "matplotlib", "onnx", "onnxruntime", "pandas", "PIL", "pyarrow"}


def fresh(code: str) -> str:
    """What a new Python prints."""
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True).stdout


LIGHT = {
    "import": "import netwright",
    "dir": "import netwright; dir(netwright)",
    "help": "from netwright.cli.main import main; main(['--help'])",
    "search --help": "from netwright.cli.main import main; main(['search', '--help'])",
    "list": "from netwright.cli.main import main; main(['list'])",
    "unknown strategy": "from netwright.cli.main import main; main(['search', 'digits', '--strategy', 'evolutoin'])",
}


@pytest.mark.parametrize("what", LIGHT)
def test_it_loads_nothing_heavy(what: str) -> None:
    out = fresh(LIGHT[what] + "\nimport sys, json; print('\\n' + json.dumps(sorted(m.partition('.')[0] for m in sys.modules)))")
    assert not HEAVY & set(json.loads(out.splitlines()[-1]))


# ---- what is visible --------------------------------------------------------------------------------------------------


def public(file: Path) -> list[str] | None:
    """The names in ``__all__``, read without importing; None where there is none."""
    for node in tree(file).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id == "__all__":
            return list(ast.literal_eval(node.value))  # type: ignore[union-attr, arg-type]
    return None


@every_file
def test_all_is_there_and_sorted(file: Path) -> None:
    names = public(file)
    code = [node for node in tree(file).body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    if names is None:
        assert not code, "a module with code says in __all__ what is visible"
        return
    order = sorted(names, key=lambda name: (not name.isupper(), name[:1].islower(), name))
    assert names == order, f"sorted as ruff does: {order}"
    if file == HOUSE / "__init__.py":
        return
    made = {node.name for node in code if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    for node in code:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        made |= {inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)}
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            made |= {alias.asname or alias.name for alias in node.names}
    assert set(names) <= made, f"not made here: {sorted(set(names) - made)}"


def test_what_netwright_shows_is_what_it_has() -> None:
    import netwright

    assert dir(netwright) == netwright.__all__ == sorted(netwright.__all__)
    for name in netwright.__all__:
        assert getattr(netwright, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'serach'"):
        netwright.serach  # noqa: B018


def test_what_netwright_shows_stays_what_it_is() -> None:
    """Its functions have the names of modules, which importing sets on the package: they must not take the functions' place."""
    modules = [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in FILES]
    code = (
        "import importlib, netwright\n"
        f"for name in {[name for name in modules if not name.endswith('__main__')]}: importlib.import_module(name)\n"
        "print([name for name in netwright.__all__ if not callable(getattr(netwright, name))])"
    )
    assert fresh(code).strip() == "[]"


# ---- what every file keeps --------------------------------------------------------------------------------------------


@every_file
def test_it_opens_with_a_sentence(file: Path) -> None:
    text = ast.get_docstring(tree(file))
    assert text, "a module opens with one sentence: what it is for"
    assert text[0].isupper() or text[0].isdigit() or text[0] in "`:", text.splitlines()[0]
    assert re.search(r"[.!?:)]\s*$", text.split("\n\n")[0]), f"the first paragraph is a sentence: {text.splitlines()[0]}"


@every_file
def test_it_is_short(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{lines} lines; split it"


FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml", "ray"}
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "torch.load",
    "torch.save",
    "yaml.load",
    "pickle.load",
    "pickle.loads",
    "__import__",
    "os.system",
}


@every_file
def test_nothing_is_unpickled_or_evaluated(file: Path) -> None:
    wrong = [f"line {line}: {name}" for name, line, _ in imports(file) if name.partition(".")[0] in FORBIDDEN_IMPORTS]
    for node in ast.walk(tree(file)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called in FORBIDDEN_CALLS:
            wrong.append(f"line {node.lineno}: {called}()")
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if called in ("np.load", "np.save", "numpy.load", "numpy.save") and given.get("allow_pickle") != "False":
            wrong.append(f"line {node.lineno}: {called}() without allow_pickle=False")
        if given.get("allow_pickle") == "True" or given.get("shell") == "True" or given.get("weights_only") == "False":
            wrong.append(f"line {node.lineno}: {called}({given})")
    assert not wrong, "; ".join(wrong)


@every_file
def test_habits(file: Path) -> None:
    """No bare except, no mutable default, no star import."""
    wrong = []
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            wrong.append(f"line {node.lineno}: bare except")
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            wrong.append(f"line {node.lineno}: star import")
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                made = isinstance(default, ast.Call) and ast.unparse(default.func) in ("list", "dict", "set")
                if made or isinstance(default, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)):
                    wrong.append(f"line {default.lineno}: mutable default {ast.unparse(default)}")
    assert not wrong, "; ".join(wrong)


@every_file
def test_only_the_command_line_prints(file: Path) -> None:
    if room(file) in PRINTS or inside(file) in PRINTS:
        return
    calls = [node for node in ast.walk(tree(file)) if isinstance(node, ast.Call)]
    lines = [node.lineno for node in calls if ast.unparse(node.func) in ("print", "sys.stdout.write")]
    assert not lines, f"prints in lines {lines}"


@every_file
def test_only_the_recipe_reads_the_environment(file: Path) -> None:
    if inside(file) in READS_ENVIRONMENT:
        return
    reads = [
        n.lineno for n in ast.walk(tree(file)) if isinstance(n, ast.Attribute) and ast.unparse(n) in ("os.environ", "os.getenv")
    ]
    assert not reads, f"reads the environment in lines {reads}; add the variable to recipe.ENVIRONMENT"


@every_file
def test_every_draw_has_a_named_stream(file: Path) -> None:
    """Random numbers come from ``core.seeds``: no global generator, no generator without a seed or with one of its own making."""
    if inside(file) == "core/seeds.py":
        return
    wrong = []
    for node in ast.walk(tree(file)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        seeded = bool(node.args) and not isinstance(node.args[0], ast.Constant)
        if re.fullmatch(
            r"(np|numpy)\.random\.default_rng|torch\.manual_seed|\w+\.manual_seed|torch\.Generator\(\)\.manual_seed", called
        ):
            if not seeded:
                wrong.append(f"line {node.lineno}: {ast.unparse(node)} takes no seed from core.seeds")
        elif re.match(r"(random|secrets|uuid|(np|numpy)\.random)\.", called) or called in ("Random", "os.urandom", "torch.seed"):
            wrong.append(f"line {node.lineno}: {ast.unparse(node)}")
    assert not wrong, "; ".join(wrong)


def test_types_are_shipped() -> None:
    assert (HOUSE / "py.typed").is_file()


# ---- what is documented -----------------------------------------------------------------------------------------------


@cache
def manual() -> dict[str, str]:
    return {
        page.relative_to(ROOT / "docs").as_posix(): page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md")
    }


def parts(kind: str) -> list[str]:
    from netwright.registry import listed

    return sorted(name for name, module in listed(kind).items() if module.startswith("netwright."))


@pytest.mark.parametrize("kind", ["spaces", "strategies", "surrogates", "estimators", "devices"])
def test_every_part_has_its_page(kind: str) -> None:
    missing = [f"docs/{kind}/{name}.md" for name in parts(kind) if f"{kind}/{name}.md" not in manual()]
    assert not missing, f"write {', '.join(missing)}"


def test_every_setting_of_a_part_is_on_its_page() -> None:
    """Those that ``--set`` takes: the keyword-only parameters of its constructor."""
    import inspect

    from netwright.registry import module, part

    for kind in ("strategies", "surrogates", "estimators", "devices", "spaces"):
        for name in parts(kind):
            maker = module(kind, name).space if kind == "spaces" else part(kind, name)
            for parameter in inspect.signature(maker).parameters.values():
                if parameter.kind is parameter.KEYWORD_ONLY:
                    assert f"`{parameter.name}`" in manual()[f"{kind}/{name}.md"], f"docs/{kind}/{name}.md lacks {parameter.name}"


def test_every_layer_and_reference_is_on_its_page() -> None:
    from netwright.layers.base import names
    from netwright.references import NETWORKS, PLAIN

    assert not [name for name in names() if f"`{name}`" not in manual()["layers.md"]]
    assert not [name for name in (*PLAIN, *NETWORKS) if f"`{name}`" not in manual()["control-arm.md"]]


def test_every_metric_is_in_the_docs_with_its_unit_and_direction() -> None:
    from netwright.core.metrics import METRICS

    for metric in METRICS.values():
        row = next((line for line in manual()["metrics.md"].splitlines() if line.startswith(f"| `{metric.name}` |")), "")
        assert f"| {metric.unit or '–'} |" in row, metric.name
        assert f"| {metric.direction} |" in row, metric.name


def test_every_command_and_flag_is_in_the_docs() -> None:
    import typer

    from netwright.cli.app import app

    page = manual()["commands.md"]
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", {})
        assert f"\n## {name}\n" in page, f"docs/commands.md lacks {name}"
        section = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        for call in [f"{name} {inner}" for inner in below] or [name]:
            assert f"$ netwright {call}" in section, f"{call} has no example"
        for parameter in [*command.params, *(parameter for inner in below.values() for parameter in inner.params)]:
            for flag in (flag for flag in parameter.opts if flag.startswith("--") and flag != "--help"):
                assert f"`{flag}" in section, f"docs/commands.md, {name}: lacks {flag}"


def test_every_variable_option_and_recipe_key_is_in_the_docs() -> None:
    from dataclasses import fields

    from netwright.recipe import ENVIRONMENT, Recipe
    from netwright.tasks.data import BUNDLED, OPTIONS

    assert not [name for name in ENVIRONMENT if f"`{name}`" not in manual()["environment.md"]]
    assert not [field.name for field in fields(Recipe) if f"`{field.name}`" not in manual()["recipes.md"]]
    assert not [name for name in (*BUNDLED, *OPTIONS) if f"`{name}`" not in manual()["data.md"]]


def test_every_event_is_in_the_docs() -> None:
    """Kinds that are written to a log, found where they are written."""
    kinds = set()
    for file in FILES:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("session.write", "self.write", "write") and node.args:
                kind = node.args[0]
                kinds |= {kind.value} if isinstance(kind, ast.Constant) and isinstance(kind.value, str) else set()
    kinds = {kind for kind in kinds if re.fullmatch("[a-z]+", kind)}
    assert len(kinds) > 10
    assert not [kind for kind in sorted(kinds) if f"| `{kind}` |" not in manual()["run-folder.md"]]


def test_every_page_that_a_message_names_is_there() -> None:
    for file in FILES:
        for page in re.findall(r"docs/[\w/-]+\.md", file.read_text(encoding="utf-8")):
            assert (ROOT / page).is_file(), f"{inside(file)} sends people to {page}"


def test_the_changelog_knows_this_version() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert version is not None
    assert f"## [{version[1]}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
