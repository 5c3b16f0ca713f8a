"""The engine of NEARL Desk: scans, model, learning, store and export, without Qt."""
