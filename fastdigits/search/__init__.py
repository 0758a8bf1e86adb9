"""Optuna's studies over the options of training, each trial a run: the space, the study's folder and storage, trials
and their workers, the page of the end.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "report": ["write_study_report"],
        "space": ["find_space"],
        "study": ["OBJECTIVES", "PRUNERS", "SAMPLERS", "Search", "Study", "StudyFolder", "command_of", "open_study"],
        "workers": ["best_trial", "ended_trials", "run_workers", "running_trials"],
    },
)
