"""The ``bench`` command: one file per subcommand, each thin."""
