"""Optuna's studies over the options of training, each trial a run: the space, the study's folder and storage, trials
and their workers, and the page that a search ends with.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "definition": ["OBJECTIVES", "PRUNERS", "SAMPLERS", "Search", "define_search"],
        "folder": ["StudyFolder", "begun_or_joined"],
        "result": ["Study"],
        "storage": ["open_study"],
        "winner": ["finish_study"],
        "workers": ["ended_trials", "run_workers"],
    },
)
