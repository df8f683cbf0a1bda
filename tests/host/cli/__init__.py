"""Tests of the star57 command."""
