"""Parts made of the rows of one file by their place in it, where the other part of a published split is missing."""

OWN_ROW_SPLIT = "by row, version 1"


def training_rows(rows: int) -> int:
    """How many of ``rows``, the first ones, are training rows; those behind them are test rows, at least one.

    Six sevenths, as NIST and MNIST divide theirs, rounded to two significant digits so that the border is a number
    that can be remembered: 100,000 of the 116,323 test rows of EMNIST byclass.
    """
    share = rows * 6 // 7
    return min(rows - 1, round(share, 2 - len(str(share))) if share >= 100 else share)
