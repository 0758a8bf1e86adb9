"""Optuna's studies over the options of training, each trial a run: the space, the study's folder and storage, trials
and their workers, the page of the end.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "definition": ["OBJECTIVES", "PRUNERS", "SAMPLERS", "Search", "define_search"],
        "folder": ["StudyFolder", "claim_folder"],
        "result": ["Study"],
        "storage": ["open_study"],
        "winner": ["finish"],
        "workers": ["ended_trials", "run_workers"],
    },
)
