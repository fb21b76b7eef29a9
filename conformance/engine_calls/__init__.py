"""The runner of the engine scenarios (conformance/engine) for Python."""
