"""What a program needs of its machine, whatever it is about: files that appear whole, claims on them, processes, the
device, progress, PNG files, settings in one text, errors of one line. It knows nothing of digits.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "claims": ["claimed"],
        "errors": ["InputError", "check_seed"],
        "files": ["file_sha256", "plain_number", "whole_file", "whole_folder", "write_json"],
        "growing_table": ["append_rows", "csv_line", "grown_rows"],
        "machine": ["Precision", "find_device", "find_precision", "prepare_machine", "usable_cores"],
        "memory": ["cache_folder", "remembered"],
        "outputs": [
            "RUN_MARK",
            "check_output",
            "fresh_folder",
            "remove_folder",
            "replaced_folder",
            "room_for",
            "writable",
        ],
        "png": ["encode_pictures", "write_pictures"],
        "progress": ["progress_bar"],
        "specs": ["Settings", "read_spec", "with_settings"],
        "world": [
            "World",
            "is_alone",
            "is_first_here",
            "is_first_process",
            "join_world",
            "shared_batch",
        ],
    },
)
