"""The statement that stands in for a debugger: it writes what a breakpoint at the same place should capture."""

import json
import os
import threading

_lock = threading.Lock()


def probe(*values):
    """Append the values as one line of JSON to the file that $PROBE_OUT names."""
    with _lock, open(os.environ["PROBE_OUT"], "a") as out:
        out.write(json.dumps(values) + "\n")
