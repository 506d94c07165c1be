"""What an error tells of a name that there is not."""

import pytest

from levee.errors import meant

MANY = [f"sales.table_{number:03}" for number in range(300)]


@pytest.mark.parametrize(
    ("name", "valid", "told"),
    [
        ("cdnwo", ["sales.cdnow", "hr.pay"], "did you mean sales.cdnow? Else choose one of sales.cdnow, hr.pay"),
        ("sales.cdnwo", ["sales.cdnow"], "did you mean sales.cdnow? Else choose one of sales.cdnow"),
        ("nothing", ["sales.cdnow", "hr.pay"], "choose one of sales.cdnow, hr.pay"),
        ("table_29", MANY, "did you mean sales.table_299?"),
        ("nothing", MANY, f"choose one of {', '.join(MANY[:20])}, ... (300 in all)"),
    ],
)
def test_the_nearest_name_is_told_and_never_hundreds(name, valid, told):
    assert meant(name, valid) == told
