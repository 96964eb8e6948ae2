"""What operates the platform: the local set-up, the network as code, and what is wrong with them."""
