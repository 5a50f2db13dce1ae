"""The paper's modules: they know torch and nothing else of this package."""
