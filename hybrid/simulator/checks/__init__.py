"""What the simulator must show, measured: `python tools/simulate.py gates=true`, and the two that go with it."""
