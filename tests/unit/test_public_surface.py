"""The public surface: what is installed is what is tested, names load lazily, every foreign error has one meaning."""

import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType

import asyncpg
import pytest
from aiokafka import errors as kafka
from pydantic import SecretStr

import ingress
import processor
from processor import errors
from processor.adapters.kafka.errors import translated as translated_kafka
from processor.adapters.postgres.pool import translated as translated_postgres
from processor.errors import ConfigError, IsthmusError, RejectedError, UnavailableError
from processor.settings import Settings


def run_python(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Python anew, in an environment that knows nothing of this one's ISTHMUS settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ISTHMUS_")}
    return subprocess.run(
        [sys.executable, *arguments], env={**inherited, **env}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("package", [ingress, processor], ids=lambda package: package.__name__)
def test_the_installed_wheel_is_tested(package: ModuleType) -> None:
    """`make test` runs against site-packages: the module's file is one that the distribution isthmus brought."""
    if os.environ.get("ISTHMUS_TEST_WHEEL") != "1":
        pytest.skip("not the wheel: `make test` installs it and sets ISTHMUS_TEST_WHEEL=1")
    assert sys.flags.safe_path, "PYTHONSAFEPATH=1 keeps the checkout off the path"
    assert package.__file__ is not None
    brought = {Path(str(file.locate())).resolve() for file in metadata.files("isthmus") or ()}
    found = Path(package.__file__).resolve()
    assert found in brought
    assert "site-packages" in found.parts
    assert Path(__file__).resolve().parents[2] / package.__name__ != found.parent


@pytest.mark.parametrize("content", ["", "raise SystemExit('an intruder ran')\n"])
def test_an_intruder_is_named(tmp_path: Path, content: str) -> None:
    """Another package `ingress` before ours: exit 78 and one sentence with its path, before any of it runs."""
    intruder = tmp_path / "ingress" / "__init__.py"
    intruder.parent.mkdir()
    intruder.write_text(content)
    addresses = {"ISTHMUS_KAFKA": "127.0.0.1:9", "ISTHMUS_POSTGRES": "postgresql://127.0.0.1:9/x"}
    done = run_python("-P", "-m", "processor", "run", "directory", PYTHONPATH=str(tmp_path), **addresses)
    assert done.returncode == 78, done.stderr
    assert str(intruder) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_intruding_processor_is_named(tmp_path: Path) -> None:
    """The same for `processor`, where ours was loaded first and the other one stands before it on the path."""
    intruder = tmp_path / "processor" / "__init__.py"
    intruder.parent.mkdir()
    intruder.write_text("")
    code = (
        "import sys; from processor.distribution import check_distribution\n"
        f"sys.path.insert(0, {str(tmp_path)!r}); del sys.modules['processor']\n"
        "try: check_distribution()\n"
        "except Exception as error: print(error.code, error)\n"
    )
    done = run_python("-P", "-c", code)
    assert done.stdout.startswith("config_error "), done.stderr
    assert str(intruder) in done.stdout


def test_three_names_lazily() -> None:
    """`from processor import …` gives the three public names; `import processor` alone loads no library for them."""
    code = (
        "import sys, processor\n"
        "early = {'jmespath', 're2', 'orjson'} & set(sys.modules)\n"
        "from processor import MISSING, compile_filter, compile_mapping\n"
        "keep = compile_filter('type = \"track\"')\n"
        "make = compile_mapping({'a': {'@path': '$.b'}})\n"
        "print(early, keep({'type': 'track'}), make({'b': 1}), compile_mapping({'@path': '$.x'})({}) is MISSING)\n"
    )
    done = run_python("-P", "-c", code)
    assert done.stdout.strip() == "set() True {'a': 1} True", done.stderr
    assert sorted(processor.__all__) == ["MISSING", "compile_filter", "compile_mapping"]
    with pytest.raises(AttributeError, match="no attribute 'compile'"):
        _ = processor.compile


def test_every_error_has_a_code() -> None:
    """One tree, each class with a snake_case code of its own, each in a branch that says what to do."""
    classes = [found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, IsthmusError)]
    assert {found.__name__ for found in classes} - {"_FaultyError"} <= set(errors.__all__)
    for found in classes:
        code = "given_code" if found is RejectedError else found.code
        assert code.replace("_", "").isalnum()
        assert code == code.lower()
    assert RejectedError("some_code", "why").code == "some_code"
    own = [vars(found)["code"] for found in classes if "code" in vars(found)]
    assert len(set(own)) == len(own)


def _all_below(base: type[BaseException]) -> Iterator[type[BaseException]]:
    for below in base.__subclasses__():
        yield below
        yield from _all_below(below)


def _branch(error: BaseException, translated: object) -> str:
    """Which of our branches it becomes; `itself` when it is a fault of ours."""
    try:
        with translated():  # type: ignore[operator]
            raise error
    except (ConfigError, RejectedError, UnavailableError) as found:
        return type(found).__name__ if found.__cause__ is error else "without its cause"
    except type(error):
        return "itself"


WAIT, POISON = ("08", "25006", "25P03", "28", "3D", "40", "53", "55P03", "57", "58"), ("22", "23", "54")


def postgres_errors() -> list[type[BaseException]]:
    """Every class of asyncpg's that the server's answer can become."""
    members = [found for _, found in inspect.getmembers(asyncpg.exceptions, inspect.isclass)]
    return [found for found in members if issubclass(found, asyncpg.PostgresError) and getattr(found, "sqlstate", None)]


def test_every_sqlstate_has_one_meaning() -> None:
    """Wait, bury or a fault of ours: by the SQLSTATE, for every class that asyncpg has."""
    classes = postgres_errors()
    assert len(classes) > 200
    for found in classes:
        state = str(vars(found).get("sqlstate") or found.sqlstate)  # type: ignore[attr-defined]
        expected = (
            "UnavailableError" if state.startswith(WAIT) else "RejectedError" if state.startswith(POISON) else "itself"
        )
        assert not (state.startswith(WAIT) and state.startswith(POISON))
        assert _branch(found("x"), translated_postgres) == expected, (found.__name__, state)


@pytest.mark.parametrize(
    ("error", "branch"),
    [
        (asyncpg.InterfaceError("closed"), "UnavailableError"),
        (asyncpg.exceptions.ConnectionDoesNotExistError("gone"), "UnavailableError"),
        (asyncpg.InternalClientError("cannot switch to state 15"), "UnavailableError"),
        (ConnectionResetError(), "UnavailableError"),
        (TimeoutError(), "UnavailableError"),
        (asyncpg.DataError("a value that cannot be encoded"), "RejectedError"),
        (KeyError("x"), "itself"),
    ],
)
def test_postgres_errors_without_sqlstate(error: Exception, branch: str) -> None:
    """Those that carry none are named by hand."""
    assert _branch(error, translated_postgres) == branch


def test_every_kafka_error_has_one_meaning() -> None:
    """Set-up or wait, for every class that aiokafka has; none passes as it is."""
    setup = {
        "AuthenticationFailedError",
        "TopicAuthorizationFailedError",
        "GroupAuthorizationFailedError",
        "ClusterAuthorizationFailedError",
        "UnsupportedSaslMechanismError",
        "SaslAuthenticationFailed",
        "IllegalSaslStateError",
        "InvalidTopicError",
    }
    classes = {found for _, found in inspect.getmembers(kafka, inspect.isclass) if issubclass(found, kafka.KafkaError)}
    assert len(classes) > 90
    found = {each.__name__: _branch(each.__new__(each), translated_kafka) for each in classes}
    assert {name for name, branch in found.items() if branch == "itself"} == set()
    assert {name for name, branch in found.items() if branch == "ConfigError"} == setup & found.keys()
    assert set(found.values()) == {"ConfigError", "UnavailableError"}


def test_without_a_secret_a_process_verifies_what_it_signed() -> None:
    """The same for as long as the process lives, another in each; a list is two while it is rotated."""
    settings = Settings()
    assert settings.secrets == settings.secrets
    assert settings.secrets != Settings().secrets
    assert Settings(secret=SecretStr("new,old")).secrets == (b"new", b"old")
