"""What every test shares."""

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # on a busy machine any example may take a second
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader's LFDTCMEN_PROFILE, LFDTCMEN_RUNS and LFDTCMEN_VGG_WEIGHTS must not change what the unit tests see."""
    monkeypatch.delenv("LFDTCMEN_VGG_WEIGHTS", raising=False)
    monkeypatch.delenv("LFDTCMEN_PROFILE", raising=False)
    monkeypatch.delenv("LFDTCMEN_RUNS", raising=False)
