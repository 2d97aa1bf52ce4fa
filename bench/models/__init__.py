"""Framework-neutral architectures and estimators, and the loading of the user's own models."""
