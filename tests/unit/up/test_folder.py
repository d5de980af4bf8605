import json
import os
import stat

import pytest

from processor.errors import ConfigError
from processor.up.folder import Folder, Run

RUN = Run(1, "2026-01-01T00:00:00+00:00", "http://127.0.0.1:1", "127.0.0.1:2", "postgresql://u:p@h/d", "/d")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path):
    folder = Folder(tmp_path / "data")
    folder.take()
    yield folder
    folder.release()


def test_only_its_owner_reads_it(folder):
    """The folder is 0700, its secrets and run.json 0600."""
    folder.write_run(RUN)
    folder.secret("secret")
    assert mode(folder.path) == 0o700
    assert mode(folder.path / "secrets" / "secret") == 0o600
    assert mode(folder.path / "run.json") == 0o600


def test_second_holder_is_told_the_pid(folder):
    """One sentence that names the process, and the first holder keeps everything."""
    folder.write_run(RUN)
    with pytest.raises(ConfigError, match=f"process {os.getpid()}"):
        Folder(folder.path).take()
    assert (folder.path / "run.json").exists()


def test_a_released_folder_can_be_taken(folder):
    """What a killed one left does not mislead: its run.json is gone, its secrets stay."""
    folder.write_run(RUN)
    secret = folder.secret("secret")
    folder.release()
    again = Folder(folder.path)
    again.take()
    assert not (folder.path / "run.json").exists()
    assert again.secret("secret") == secret
    again.release()


def test_run_file_is_what_commands_read(folder):
    """`cli.context` reads kafka, postgres and url from it."""
    folder.write_run(RUN)
    assert json.loads((folder.path / "run.json").read_bytes()) == {
        "pid": 1,
        "started": "2026-01-01T00:00:00+00:00",
        "url": "http://127.0.0.1:1",
        "kafka": "127.0.0.1:2",
        "postgres": "postgresql://u:p@h/d",
        "data_dir": "/d",
    }
    folder.forget_run()
    folder.forget_run()


def test_somebody_elses_folder_is_left_alone(tmp_path):
    """`rm -r` is how one resets: so a folder that holds other things is refused, and not changed."""
    (tmp_path / "thesis.txt").write_text("…")
    before = mode(tmp_path)
    with pytest.raises(ConfigError, match=r"thesis\.txt"):
        Folder(tmp_path).take()
    assert mode(tmp_path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_folder(tmp_path):
    """One sentence, not a stack trace."""
    (tmp_path / "f").write_text("")
    with pytest.raises(ConfigError, match="--data-dir"):
        Folder(tmp_path / "f").take()


def test_secret_is_not_shown():
    """The DSN holds a password."""
    assert "u:p" not in repr(RUN)
