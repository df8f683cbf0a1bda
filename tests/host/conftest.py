"""What every host test shares: how fast the machine is decides nothing."""

from hypothesis import settings

settings.register_profile("star57", deadline=None)
settings.load_profile("star57")
