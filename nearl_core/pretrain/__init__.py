"""Training of the starter backbone that is shipped in `resources/backbones/starter`."""
