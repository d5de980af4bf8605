"""Control calls, for people and programs that run an installation (docs/api.md)."""

from processor.api.control.routes import ROOT, build_control

__all__ = ["ROOT", "build_control"]
