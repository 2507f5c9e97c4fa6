"""The sandbox's professionals: who they are, the same in every service that knows them."""
