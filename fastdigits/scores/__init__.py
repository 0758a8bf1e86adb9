"""Answers against the truth: accuracy and its intervals, calibration, comparisons, stress, labels that are likely
wrong, rows that a model knew before; and what to expect where there is no truth. It trains nothing and draws nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "calibration": ["fit_temperature", "with_temperature"],
        "competition": ["Competition"],
        "comparison": ["Comparison", "compare"],
        "evaluated": ["evaluated_pictures"],
        "evaluation": ["Evaluation", "GroupScore", "PERFECT_HINT"],
        "expectation": ["LEAST_PICTURES", "Expectation", "expectation_of", "expected", "kept_of_valid", "why_untold"],
        "exported": [
            "ExportCheck",
            "calibration_pictures",
            "checked_difference",
            "drawn_pictures",
            "int8_on_others",
            "int8_on_valid",
            "pictures_of_other_sizes",
            "reference_answers",
        ],
        "intervals": ["Interval", "wilson_interval"],
        "label_errors": ["Suspect", "find_suspects"],
        "leaks": ["known_share", "leak_notes", "leak_warnings"],
        "scoring": ["WISHED_ACCURACY", "class_numbers", "score"],
        "stress": [
            "StressScore",
            "mean_under_stress",
            "stress_scores",
            "stress_table",
            "stressed_pictures",
            "stressed_rows",
        ],
        "valid_answers": ["ValidAnswers", "kept_of_runs", "read_answers"],
    },
)
