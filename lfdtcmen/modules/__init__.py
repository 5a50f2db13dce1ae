"""The paper's network, a file for each part: torch, and this package's error, are all that they know."""
