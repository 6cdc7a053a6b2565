"""Not part of the function: `source_excludes` leaves it out."""

from lib.order import accept


def test_an_order_has_a_customer():
    assert accept('{"customer": 1}') and not accept("{}")
