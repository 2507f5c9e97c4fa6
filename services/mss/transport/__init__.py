"""Mail between operators: the queue out, the conversation with a peer, and what a peer hands in."""
