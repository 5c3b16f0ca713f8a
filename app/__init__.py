"""The Qt application: a window over the engine of `nearl_core`."""
