"""Failures of the shared contract are shown with their values, as those of a test module are."""

import pytest

pytest.register_assert_rewrite("tests.adapters.contract")
