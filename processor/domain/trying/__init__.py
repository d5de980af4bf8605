"""Trying: what the mappings of a revision would do with one event. Nothing is done.

``given`` reads the event as ingress does, ``clauses`` takes a filter apart, ``trials`` asks each mapping,
``shown`` puts the answer into plain JSON.
"""

from processor.domain.trying.clauses import Clause, explain
from processor.domain.trying.given import Given, read_event
from processor.domain.trying.shown import shown_trial
from processor.domain.trying.trials import Trial, Verdict, named, try_event

__all__ = [
    "Clause",
    "Given",
    "Trial",
    "Verdict",
    "explain",
    "named",
    "read_event",
    "shown_trial",
    "try_event",
]
