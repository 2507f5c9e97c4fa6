"""Who calls: PSC access tokens, verified the same way by the gateway and by each service."""
