"""A configuration document on a terminal: read from a file, checked, its faults and warnings one a line."""

from collections.abc import Sequence
from pathlib import Path

import typer

from processor.config import Checked, check
from processor.errors import DocumentError, Fault

__all__ = ["checked_document", "print_faults", "print_warnings", "read_document"]


def read_document(file: Path) -> str:
    """The file's text. What is no UTF-8 goes on to ``check``, which says so with the line."""
    try:
        return file.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None


def checked_document(file: Path, text: str) -> Checked:
    """Prints the faults and exits with 1 when there are any."""
    try:
        return check(text)
    except DocumentError as error:
        print_faults(file, error)
        raise typer.Exit(1) from None


def print_faults(file: Path, error: DocumentError) -> None:
    """On stderr: ``FILE:LINE: path: what to write``."""
    for fault in error.faults:
        typer.echo(_line(file, fault), err=True)


def print_warnings(file: Path, warnings: Sequence[Fault]) -> None:
    for warning in warnings:
        typer.echo(_line(file, warning, "warning: "), err=True)


def _line(file: Path, fault: Fault, kind: str = "") -> str:
    place = f"{file}:{fault.line}" if fault.line is not None else str(file)
    return f"{place}: {kind}{fault.path}: {fault.message}" if fault.path else f"{place}: {kind}{fault.message}"
