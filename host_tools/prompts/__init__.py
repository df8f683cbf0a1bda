"""The announcement pack: its texts, how it is built, and how it is recognised in what a phone heard."""
