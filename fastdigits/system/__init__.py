"""What a program needs of its machine, whatever it is about: files that appear whole, claims on them, processes, the
device, progress, errors of one line. It knows nothing of digits.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "errors": ["InputError", "check_seed"],
        "intervals": ["Interval", "percentiles", "wilson_interval"],
        "machine": ["Precision", "find_device", "find_precision", "prepare_machine", "usable_cores"],
        "outputs": [
            "RUN_MARK",
            "check_output",
            "claimed",
            "file_sha256",
            "fresh_folder",
            "plain_number",
            "remove_folder",
            "room_for",
            "whole_file",
            "whole_folder",
            "writable",
            "write_json",
        ],
        "png": ["encode_pictures", "write_pictures"],
        "progress": ["progress_bar"],
        "specs": ["Settings", "read_spec", "with_settings"],
        "world": [
            "World",
            "bare_network",
            "is_alone",
            "is_first_here",
            "is_first_process",
            "join_world",
            "shared_batch",
        ],
    },
)
