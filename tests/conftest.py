"""What every test shares."""

import pytest


@pytest.fixture(autouse=True)
def no_profile_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader's LFDTCMEN_PROFILE must not change what the unit tests see."""
    monkeypatch.delenv("LFDTCMEN_PROFILE", raising=False)
