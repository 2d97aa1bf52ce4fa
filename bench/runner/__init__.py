"""From cases to records: the plan, the worker process, the executor."""
