"""The gateway: what an adapter without a network sends over its serial port goes to the trace service, and back."""
