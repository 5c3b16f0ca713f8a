"""The engine of NEARL Desk: scans, model, learning, store and export, without Qt."""

import os

# PyTorch's threads wait for one another many times a layer, on Linux for up to 300,000 rounds of a
# busy loop: where anything else is at work they wait for a processor that the loop keeps busy.
# After a thousand rounds they sleep. Read once, when PyTorch's libraries are loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
