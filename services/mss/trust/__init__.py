"""The trust space: who its operators are, the certificates that prove it, and the signed whitelist."""
