"""What pictures without labels are, as far as those with labels that look like them tell."""

import numpy as np

NEIGHBOURS = 12  # that each picture passes its label on to
HELD = 0.9  # how much of what a picture is comes from its neighbours, and not from its own label


def spread(features: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """Shares of the classes in each picture: labels pass from look-alike to look-alike until nothing changes.

    Zhou et al. 2004, "Learning with local and global consistency"; scikit-learn's LabelSpreading.

    Parameters
    ----------
    features : ndarray of float32, shape (n, d)
        In which look-alikes are near.
    truth : ndarray of int, shape (n,)
        Index of the class; -1 of a picture without a label. Two classes at least are among them.
    classes : int

    Returns
    -------
    ndarray of float, shape (n, classes)
        Rows sum to 1; of a picture that no label reaches all are 0.
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.semi_supervised import LabelSpreading

    spreading = LabelSpreading(kernel="knn", n_neighbors=min(NEIGHBOURS, len(features) - 1), alpha=HELD, max_iter=100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last digits still change
        warnings.filterwarnings("ignore", "invalid value encountered in divide")  # where no label reaches
        spreading.fit(features, truth)
    shares = np.zeros((len(features), classes))
    shares[:, spreading.classes_] = np.nan_to_num(spreading.label_distributions_)
    return shares
