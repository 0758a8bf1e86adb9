"""Which pictures to label first: look-alikes together, those that stand for many, those that a model is in doubt of."""

from typing import Literal

import numpy as np

Order = Literal["auto", "look-alikes", "doubtful", "as-they-come"]
COMPONENTS = 40  # principal ones of the stroke features, in which pictures are compared
ALIKE, FEW_ALIKE = 36, 12  # pictures of a usual cluster, and of the smallest that small pools are parted into
MOST_CLUSTERS = 300
DOUBTFUL_FOR_ONE = 10  # pictures that each chosen one is taken from
SEED = 0


def clusters_apart(
    features: np.ndarray, most: int, few: int, probabilities: np.ndarray | None = None
) -> list[np.ndarray]:
    """Clusters of look-alikes, in each the most typical pictures first.

    First a few that stand for all others, so that nearly every class comes soon; then each as far as can be from
    those before it.

    Parameters
    ----------
    features : ndarray of float32, shape (n, d)
    most : int
        Pictures of a cluster.
    few : int
        Clusters that stand for all others.
    probabilities : ndarray, shape (n, classes), optional
        Of the classes; pictures that are taken for different ones are then kept apart.

    Returns
    -------
    list of ndarray of int
        Rows of `features`.
    """
    points = principal(features)
    # in a small pool usual clusters would be too few to part the classes
    wanted = max(1, len(points) // ALIKE, min(2 * few, len(points) // FEW_ALIKE))
    clusters, distances = _k_means(points, min(wanted, MOST_CLUSTERS))
    if probabilities is not None:
        clusters = clusters * probabilities.shape[1] + probabilities.argmax(1)
    found = []
    for cluster in np.unique(clusters):
        rows = np.flatnonzero(clusters == cluster)
        found.append(rows[np.argsort(distances[rows], kind="stable")][:most])
    found.sort(key=len, reverse=True)
    middles, sizes = np.stack([points[rows].mean(0) for rows in found]), np.array([len(rows) for rows in found])
    first = _nearest_of_each(*_k_means(middles, min(few, len(found)), sizes))
    return [found[k] for k in _farthest_first(middles, first.tolist())]


def typical(features: np.ndarray, known: np.ndarray, most: int) -> np.ndarray:
    """At most so many pictures, int (k,), that stand for all of which nothing is known, those of large clusters first.

    As many clusters as there are known pictures and wanted ones; of each without a known picture the nearest to its
    middle (after Hacohen et al. 2022, arXiv:2202.02794).

    Parameters
    ----------
    features : ndarray of float32, shape (n, d)
    known : ndarray of float32, shape (m, d)
        Of pictures that have a label.
    most : int
    """
    points = principal(np.concatenate([features, known]))
    clusters, distances = _k_means(points, min(len(known) + most, len(points)))
    is_covered = np.isin(clusters[: len(features)], clusters[len(features) :])
    return _nearest_of_each(np.where(is_covered, -1, clusters[: len(features)]), distances)[:most]


def doubtful(probabilities: np.ndarray, features: np.ndarray, most: int) -> np.ndarray:
    """At most so many pictures, int (k,), of which a model is in doubt and which differ among themselves.

    Of the most doubtful ones, by the margin of the first class over the second, those nearest to the middles of
    clusters in which doubt counts (Zhdanov 2019, arXiv:1901.05954); the most doubtful first.

    Parameters
    ----------
    probabilities : ndarray, shape (n, classes)
    features : ndarray of float32, shape (n, d)
    most : int
    """
    margins = margins_of(probabilities)
    candidates = np.argsort(margins, kind="stable")[: DOUBTFUL_FOR_ONE * most]
    points, weights = principal(features)[candidates], 1 / (0.1 + margins[candidates])
    chosen = candidates[_nearest_of_each(*_k_means(points, min(most, len(points)), weights))]
    return chosen[np.argsort(margins[chosen], kind="stable")]


def margins_of(probabilities: np.ndarray) -> np.ndarray:
    """How far the likeliest class of each picture is ahead of the second: (n,) (Scheffer et al. 2001)."""
    highest = np.sort(probabilities, axis=1)[:, -2:]
    return highest[:, 1] - highest[:, 0]


def principal(features: np.ndarray) -> np.ndarray:
    """The first principal components of features (n, d): float (n, at most 40)."""
    centred = features - features.mean(0)
    _, vectors = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    return centred @ vectors[:, -COMPONENTS:].astype(features.dtype)


def _farthest_first(points: np.ndarray, first: list[int]) -> list[int]:
    """An order of points in which each after the first ones is the farthest from all before it (Gonzalez 1985)."""
    order = list(first)
    nearest = np.linalg.norm(points[:, None] - points[order], axis=2).min(1)
    while len(order) < len(points):
        nearest[order] = -1
        order.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(points - points[order[-1]], axis=1))
    return order


def _nearest_of_each(clusters: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Of each cluster (but -1) the row that is nearest to its middle, int (k,); the largest cluster's first."""
    nearest = []
    for cluster in np.unique(clusters[clusters >= 0]):
        rows = np.flatnonzero(clusters == cluster)
        nearest.append((len(rows), rows[distances[rows].argmin()]))
    return np.array([row for _, row in sorted(nearest, key=lambda one: -one[0])], int)


def _k_means(points: np.ndarray, clusters: int, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The cluster of each point, and its distance to the middle of that."""
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # equal pictures make fewer clusters than were asked for
        means = KMeans(clusters, n_init=1, max_iter=20, random_state=SEED).fit(points, sample_weight=weights)
    distances = np.linalg.norm(points - means.cluster_centers_[means.labels_], axis=1)
    return means.labels_, distances
