"""Stories: what happens on one household's line, told from the first ring to the last word, on any board of the rig."""
