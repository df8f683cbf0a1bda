"""The house around the adapter: its calls over NCID, and MQTT for Home Assistant."""
