"""The DMP's side: what DESTDMP asks for is handed over as a plateforme d'intermédiation does it.

In indirect authentication, with a VIHF that the platform signs: TD2.1 for a new document and for one that
replaces (after TD3.1b, for the entryUUID), TD3.3c to delete (guide 2.1.2, actors and mapping).
"""
