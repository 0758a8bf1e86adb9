"""The loop between a person and a model: pictures without labels, or with labels that may be wrong, in the order in
which a look at them tells most; what was said of them; and a model that learns from it meanwhile.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "look_alikes": ["passed_on", "passed_on_to_test"],
        "opening": ["open_labelling"],
        "order": ["Order"],
        "planning": ["Choice", "SuspectPlanner"],
        "queue": ["label_queue"],
        "session": ["NotReadYet", "Session"],
        "sheets": ["CUT_DIGITS", "SHEETS"],
        "trainer": ["Trainer"],
    },
)
