"""Our own networks and the layers they are made of. Only this room uses it."""
