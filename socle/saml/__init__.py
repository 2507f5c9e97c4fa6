"""SAML 2.0 assertions in SOAP headers: who calls, and who vouches for it."""
