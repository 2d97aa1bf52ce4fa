"""Whether frameworks compute the same, on the path that is timed: the definition, the proofs, their explanation."""
