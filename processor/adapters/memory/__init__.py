"""Fakes that ship: as real as lists can be, held to the same contracts as Kafka."""
