"""The emulated central office, the copper pair with the adapter in it, and the household's telephone."""
