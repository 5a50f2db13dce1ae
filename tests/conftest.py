"""What every test shares."""

import pytest


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader's LFDTCMEN_PROFILE, LFDTCMEN_RUNS and LFDTCMEN_VGG_WEIGHTS must not change what the unit tests see."""
    monkeypatch.delenv("LFDTCMEN_VGG_WEIGHTS", raising=False)
    monkeypatch.delenv("LFDTCMEN_PROFILE", raising=False)
    monkeypatch.delenv("LFDTCMEN_RUNS", raising=False)
