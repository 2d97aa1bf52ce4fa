"""Equivalence of frameworks on the timed path: the definition, the proofs, their explanation."""
