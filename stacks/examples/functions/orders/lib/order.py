"""What an order must have."""

import json


def accept(text):
    return "customer" in json.loads(text)
