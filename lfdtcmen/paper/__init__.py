"""The paper in numbers: what its text states, what it leaves open (the ledger), and what it reports."""
