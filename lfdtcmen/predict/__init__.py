"""From a video to a report: :mod:`~lfdtcmen.predict.clip` classifies a clip, :mod:`~lfdtcmen.predict.report` writes the
pages, :mod:`~lfdtcmen.predict.model_card` says what a trained network is and how good it is."""
