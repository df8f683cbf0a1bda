"""The technician's bench: what is plugged in, flashed, provisioned, tried, watched and updated; nothing here prints."""
