"""A field video that all tests of the room share."""

import pytest
from simulated_fields import Field, make_field


@pytest.fixture(scope="session")
def field(tmp_path_factory) -> Field:
    """Read only."""
    return make_field(tmp_path_factory.mktemp("field"))
