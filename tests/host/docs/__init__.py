"""The documents: their links, and every command in them."""
