"""The trace service: accepts trace requests, decides, keeps who called sealed to the centre's key."""
