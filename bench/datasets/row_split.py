"""Parts cut from one file by row number, for use when the other part of a published split is missing."""

OWN_ROW_SPLIT = "by row, version 1"


def training_rows(rows: int) -> int:
    """Number of training rows, the first of ``rows``; those after them are test rows, at least one.

    Six sevenths, as in NIST's and MNIST's splits, rounded to two significant digits so that the border is easy to
    remember: 100,000 of the 116,323 test rows of EMNIST byclass.
    """
    share = rows * 6 // 7
    return min(rows - 1, round(share, 2 - len(str(share))) if share >= 100 else share)
