"""The notebook way that others are measured by: fastai over PNG files, with its defaults."""

MEAN, STD = 0.1307, 0.3081  # of MNIST's pixels, on the scale 0..1


def notebook_loaders(folder: str, channels: int, batch: int, item_tfms=None, batch_tfms=()):
    """DataLoaders of an image folder's train/ and valid/, normalised after `batch_tfms`."""
    from fastai.vision.all import (
        CategoryBlock,
        DataBlock,
        GrandparentSplitter,
        ImageBlock,
        Normalize,
        PILImage,
        PILImageBW,
        get_image_files,
        parent_label,
    )

    block = DataBlock(
        blocks=(ImageBlock(PILImage if channels == 3 else PILImageBW), CategoryBlock),
        get_items=lambda path: get_image_files(path, folders=["train", "valid"]),
        splitter=GrandparentSplitter(),
        get_y=parent_label,
        item_tfms=item_tfms,
        batch_tfms=[*batch_tfms, Normalize.from_stats([MEAN] * channels, [STD] * channels)],
    )
    return block.dataloaders(folder, bs=batch)
