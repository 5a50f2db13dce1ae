"""What every test shares."""

import pytest


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader's LFDTCMEN_PROFILE and LFDTCMEN_RUNS must not change what the unit tests see."""
    monkeypatch.delenv("LFDTCMEN_PROFILE", raising=False)
    monkeypatch.delenv("LFDTCMEN_RUNS", raising=False)
