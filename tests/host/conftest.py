"""What every host test shares: how fast the machine is decides nothing, and what is tried is the same each time."""

from hypothesis import settings

settings.register_profile("star57", deadline=None, derandomize=True, database=None)
settings.load_profile("star57")
