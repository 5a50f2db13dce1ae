"""What a recipe switches on: fields of :class:`lfdtcmen.config.Config`, as plain values.

``paper`` switches on nothing. ``repaired`` collects what made the motion code carry motion (notebook 08).
``repaired_alone`` is the same without pretraining: there stage 1 has to find the motion by itself, so it is longer,
takes larger steps, and the rest loss weighs less.
"""

RECIPES: dict[str, dict] = {
    "paper": {},
    "repaired": {
        "generator": "warp_difference",
        "bottleneck": 16,
        "contrast_normalised": True,
        "normalised_difference": True,
        "fusion": "late",
        # without it, both branches predict the frequent class too often: UAR is far lower, most on foreign people
        "imbalance": "class_weights",
        # with class weights, the flow branch gains UAR by it on presets, few people and `wild`, and loses UF1 where it
        # is trained on `standard` and used on another camera (experiments/flow_training.py)
        "flow_shift": 2,
        "amplitude_jitter": 0.4,
        "stage1": {"change": 1.0, "rest": 0.15},
        "stage3": {"change": 0.2, "rest": 0.03, "emotion": 1.0},
        "change_first": 0.5,
        "learning_rates": (3e-4, 1e-3, 3e-4),
        "pretraining": 2000,
    },
}
RECIPES["repaired_alone"] = RECIPES["repaired"] | {
    "pretraining": 0,
    "learning_rates": (2e-3, 1e-3, 3e-4),
    "stage1": {"change": 1.0, "rest": 0.03},
    "stage3": {"change": 0.2, "rest": 0.006, "emotion": 1.0},
}

# what a recipe changes in a profile
SIZES: dict[str, dict[str, dict]] = {
    "repaired": {
        # pretraining replaces stage 1: training on with stage 1, on the training pairs, makes the measures worse
        "smoke": {"epochs": (0, 2, 1), "pretraining": 8, "pretraining_groups": 1},
        "cpu": {"epochs": (0, 20, 4)},
        "gpu": {"epochs": (0, 40, 20), "pretraining": 10_000, "pretraining_groups": 120},
    },
    "repaired_alone": {
        "smoke": {"epochs": (2, 2, 1)},
        "cpu": {"epochs": (16, 20, 4)},
        "gpu": {"epochs": (60, 40, 20)},
    },
}
