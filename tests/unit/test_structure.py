"""The structure of the code: who may import whom, what the pure core may know, and that imports only import."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import ingress
import processor

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = ("ingress", "processor")
MAX_LINES = 400

PURE_STDLIB = {
    "abc",
    "base64",
    "binascii",
    "bisect",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "hashlib",
    "hmac",
    "html",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "string",
    "struct",
    "threading",  # for what each thread has to itself
    "types",
    "typing",
    "unicodedata",
    "urllib",
    "uuid",
    "zoneinfo",
}
DOMAIN_LIBRARIES = frozenset({"jmespath", "liquid", "orjson", "re2"})
IMPURE_CALLS = {
    "now": "a moment is a parameter: take `received_at_ms`, or another, from the caller",
    "utcnow": "a moment is a parameter: take `received_at_ms`, or another, from the caller",
    "today": "a moment is a parameter: take it from the caller",
    "uuid1": "a new name is a parameter: take it from the caller, or derive it by uuid5",
    "uuid4": "a new name is a parameter: take it from the caller, or derive it by uuid5",
    "open": "files are read at the rim: take the content as a parameter",
    "print": "the core is silent: return a value",
}


@cache
def trees(room: str) -> dict[Path, ast.Module]:
    found = sorted((REPOSITORY / room).rglob("*.py"))
    assert found, f"{room} has no sources beside tests/"
    return {path: ast.parse(path.read_text("utf-8")) for path in found}


def imports(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Line, module and name of each import; the name is empty for `import module`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, node.module or "", alias.name) for alias in node.names)


def test_layers() -> None:
    """import-linter's contracts hold in the source tree: upper may import lower, never the other way."""
    program = Path(sys.executable).with_name("lint-imports")
    command = [str(program), "--config", "pyproject.toml", "--no-cache", "--no-logo"]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


def test_the_domain_is_pure() -> None:
    """No clock, no environment, no socket, no chance and no await in processor/domain; and few libraries."""
    wrong = []
    for path, tree in trees("processor/domain").items():
        where = path.relative_to(REPOSITORY)
        for line, module, _ in imports(tree):
            top = module.partition(".")[0]
            if top == "processor":
                if not module.startswith(("processor.domain", "processor.errors")):
                    wrong.append(f"{where}:{line}: {module}: of ours the domain imports only itself and errors")
            elif top not in PURE_STDLIB | DOMAIN_LIBRARIES:
                wrong.append(f"{where}:{line}: {module}: pass in what it gives, or, if it is pure, allow it here")
        for node in ast.walk(tree):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
                wrong.append(f"{where}:{node.lineno}: async: deciding needs no waiting; do that in engine or adapters")
            elif isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in IMPURE_CALLS:
                    wrong.append(f"{where}:{node.lineno}: {name}(): {IMPURE_CALLS[name]}")
    assert not wrong, "\n".join(wrong)


def test_the_engine_knows_no_library() -> None:
    """The loop is ours alone: engine imports the standard library and Isthmus, and opens nothing."""
    wrong = [
        f"{path.relative_to(REPOSITORY)}:{line}: {module}: hide it behind a port"
        for path, tree in trees("processor/engine").items()
        for line, module, _ in imports(tree)
        if (top := module.partition(".")[0]) != "processor" and (top not in sys.stdlib_module_names or top == "socket")
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ROOMS)
def test_files_stay_small(room: str) -> None:
    """400 lines at most: a longer file is two."""
    long = {path: text.count("\n") for path in trees(room) if (text := path.read_text("utf-8")).count("\n") > MAX_LINES}
    assert not long, f"split by concept: {long}"


@pytest.mark.parametrize("room", ROOMS)
def test_modules_only_define(room: str) -> None:
    """At module level stand definitions and values: nothing is called for its effect, nothing registers itself."""
    wrong = [
        f"{path.relative_to(REPOSITORY)}:{node.lineno}: runs on import: let its caller, or `wiring`, do it"
        for path, tree in trees(room).items()
        for node in tree.body
        if path.name != "__main__.py"
        and (
            isinstance(node, ast.For | ast.While | ast.With | ast.Try)
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and not _is_typing(node.value))
        )
    ]
    # The command's own table is made of calls that only add to an object of this module.
    wrong = [line for line in wrong if not line.startswith("processor/cli/app.py")]
    assert not wrong, "\n".join(wrong)


def _is_typing(call: ast.Call) -> bool:
    return getattr(call.func, "attr", getattr(call.func, "id", "")) in {"update_forward_refs", "model_rebuild"}


def loaded_by(statement: str) -> set[str]:
    """The modules that are there after a statement in a new Python, where opening a socket is an error."""
    guard = (
        "import sys, socket\n"
        "def no(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.bind', 'subprocess.Popen', 'os.fork'): raise SystemExit(event)\n"
        "    if event == 'open' and isinstance(arguments[1], str) and set(arguments[1]) & set('wax+'):\n"
        "        if '.pyc' not in str(arguments[0]): raise SystemExit(f'{event} {arguments[0]}')\n"
        "sys.addaudithook(no)\n"
    )
    code = f"{guard}{statement}\nprint(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("statement", "never"),
    [
        (
            "import processor",
            {
                "aiokafka",
                "aiohttp",
                "asyncpg",
                "jmespath",
                "jsonpath",
                "liquid",
                "re2",
                "pydantic",
                "typer",
                "structlog",
            },
        ),
        (
            "import processor.domain.mappings",
            {"aiokafka", "aiohttp", "asyncpg", "jmespath", "jsonpath", "liquid", "re2"},
        ),
        (
            "from processor import compile_mapping; compile_mapping({'a': {'@template': '{{ x }}'}})",
            {"jmespath", "jsonpath", "liquid"},
        ),
        ("import processor.cli", {"aiokafka", "aiohttp", "asyncpg", "typer"}),
        ("import processor.cli.app", {"aiokafka", "aiohttp"}),
        ("import processor.domain.events", {"aiokafka", "aiohttp", "asyncpg", "jmespath", "pydantic"}),
        ("import processor.domain.filters", {"aiokafka", "aiohttp", "asyncpg", "pydantic", "re2"}),
        ("from processor import compile_filter; compile_filter('match(event, \"A*\")')", {"re2"}),
        (
            "import ingress.app",
            {
                "processor.domain.mappings",
                "processor.domain.filters",
                "jmespath",
                "jsonpath",
                "liquid",
                "re2",
                "asyncpg",
                "aiokafka",
            },
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_imports_load_little(statement: str, never: set[str]) -> None:
    """Importing one part loads no library of another."""
    assert not loaded_by(statement) & never


def test_liquid_is_loaded_with_the_first_template() -> None:
    """The check above can fail: a mapping that needs Liquid loads it."""
    assert "liquid" in loaded_by("from processor import compile_mapping; compile_mapping({'@liquid': '{{ x }}'})")


def test_re2_is_loaded_with_the_first_glob() -> None:
    """The same for globs, which alone among filters need re2."""
    assert "re2" in loaded_by("from processor import compile_filter; compile_filter('glob(event, \"A*\")')")


def modules() -> list[str]:
    found = []
    for package in (ingress, processor):
        found += [package.__name__, *(m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))]
    return [name for name in found if not name.endswith("__main__")]


def test_importing_everything_opens_nothing() -> None:
    """Every module can be imported without a connection, a child process or a file that is written."""
    loaded = loaded_by("import " + ", ".join(modules()))
    assert set(modules()) <= loaded


@pytest.mark.parametrize("name", modules())
def test_all_is_true(name: str) -> None:
    """What `__all__` names is there; what a module defines publicly is named; names come sorted."""
    module = importlib.import_module(name)
    path = Path(inspect.getsourcefile(module) or "")
    tree = ast.parse(path.read_text("utf-8"))
    named = getattr(module, "__all__", None)
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }
    if name.startswith("processor.cli."):
        defined = set()  # commands are reached through the application, which they are added to
    if named is None:
        assert not defined, f"{name} defines {sorted(defined)} and has no __all__: list what is public"
        return
    assert len(set(named)) == len(named)
    assert [each for each in named if not hasattr(module, each)] == [], "named and not there"
    missing = sorted(defined - set(named))
    assert not missing, f"{name}: put {missing} into __all__, or begin them with an underscore"
