"""Samples into facts, and back: integers, no clock, no allocation."""
