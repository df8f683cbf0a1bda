"""Accuracy and cost of the receivers, measured."""
