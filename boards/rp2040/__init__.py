"""What every board with an RP2040 shares: audio by DMA, pins with time stamps, watchdog, clock."""
