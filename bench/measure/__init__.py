"""Measuring: the clock, memory, the environment, thread settings and noise. Nothing here runs beside a timed region."""
