"""fastai callbacks of a training, by what they do; only this room uses them."""
