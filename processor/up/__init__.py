"""`isthmus up`: broker, database and services of one machine under one supervisor.

Empty on purpose: every child starts through ``processor.up.keeper``, which must be cheap to import.
"""
