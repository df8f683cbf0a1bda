"""What the household hears: spoken prompts and the tones of the country."""
