"""What tests of Socle, and of a vendor's product against it, share."""
