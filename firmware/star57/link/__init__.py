"""Messages between adapter and service, and what carries them."""
