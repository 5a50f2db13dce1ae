"""What the network costs, what its codes carry, where it looks, and how its parts and a broken protocol move scores."""
