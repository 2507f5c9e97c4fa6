"""SOAP 1.2 with WS-Addressing and MTOM, as far as the national services use them."""
