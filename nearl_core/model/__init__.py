"""The model: backbones, their towers, NEARL adapters, features."""
