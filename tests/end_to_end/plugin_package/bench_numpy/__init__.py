"""A framework, two models and a data set for bench."""
