"""How arrivals at a line are observed; one backend is active in a process at a time."""
