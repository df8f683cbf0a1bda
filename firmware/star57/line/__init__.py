"""What the pair is doing: rings, hook, dialled digits, and the state that follows from them."""
