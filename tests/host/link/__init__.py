"""Tests of the carriers that need a host: TLS, and a line beside them."""
