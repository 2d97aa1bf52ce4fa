"""The frameworks, one file each, behind the interface of ``bench.adapters.base``."""
