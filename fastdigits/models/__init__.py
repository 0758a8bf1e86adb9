"""Networks by name, models on disk and as ONNX, starting weights, and a look inside. It knows what a network is and how
it is kept, and not how it is trained or what its answers are used for.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "backbones": ["Backbone", "file_part", "find_backbone"],
        "listing": ["catalogue", "parameter_counts"],
        "fastai_learner": ["learner_probabilities", "write_learner"],
        "introspection": [
            "Layer",
            "WeightStatistics",
            "feature_maps",
            "features",
            "first_filters",
            "grad_cam",
            "layer_table",
            "weight_statistics",
        ],
        "networks.by_name": ["is_network", "network_settings"],
        "graphs.int8": ["CALIBRATION_PICTURES"],
        "graphs.onnx_model": ["GRAPH_FILE", "OnnxModel", "check_writes_onnx", "read_onnx", "write_onnx"],
        "graphs.quick": ["read_quick", "write_quick"],
        "outliers": ["OUTLIERS", "count_outputs"],
        "description": ["DESCRIPTION_FILE", "LIGHT", "ModelDescription", "ONNX", "read_description"],
        "saved": ["SavedModel", "WEIGHTS_FILE", "read_saved"],
        "shipped": ["WEIGHTS", "check_outlives", "model_folder", "model_name", "shipped_architecture", "shipped_names"],
        "starting.weights": [
            "NONE",
            "PRETRAINED",
            "StartingWeights",
            "check_starts",
            "load_weights",
            "load_whole",
            "starting_weights_of",
        ],
        "unseen_taps": ["zero_unseen_gradients"],
    },
)
