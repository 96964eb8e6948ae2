"""distribute: deduplicate, route and deliver what is admitted, and keep the register of active alerts."""
