"""Keeps one schemathesis request short: no long poll waits, no stream is opened."""

import schemathesis

LONGEST_WAIT = 1  # seconds


def _shortened(values):
    """The same values with a longer `wait` made 0; one that is no time stays, to be refused."""
    if not isinstance(values, dict) or "wait" not in values:
        return values
    wait = values["wait"]
    try:
        long = float(wait[0] if isinstance(wait, list) and wait else wait) > LONGEST_WAIT
    except (TypeError, ValueError, OverflowError):
        return values
    return {**values, "wait": 0} if long else values


@schemathesis.hook
def before_call(context, case, kwargs):
    case.query = _shortened(case.query)
    case.body = _shortened(case.body)
    if "text/event-stream" in str(case.headers.get("Accept", "")):
        case.headers["Accept"] = "application/json"
