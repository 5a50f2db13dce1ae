"""The paper in numbers: every setting that its text states or leaves open (ledger), and what it reports (numbers)."""
