"""Widgets: they show values and emit intent; they decide nothing."""
