"""What a network starts from: weights by name, those of runs, and files of other trainers. Only this room uses it."""
