"""The API in the shape of Qualtrics v3 (spec/qualtrics-directory.md; docs/api.md)."""

from processor.api.v3.routes import ROOT, build_routes

__all__ = ["ROOT", "build_routes"]
