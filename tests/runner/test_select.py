"""Values in a request: those of the suite are selected, other known ones are added, the rest is refused."""

import pytest

from bench.errors import UnknownName
from bench.runner.select import Selection, expand_globs, select

SUITE = ("mlp", "mlp-plain", "cnn")
KNOWN = (*SUITE, "knn", "random-forest")


def chosen(*asked: str) -> Selection:
    return select("model", asked, SUITE, KNOWN, listing="bench list models", is_file=lambda name: name.endswith(".py"))


def test_nothing_named_is_all_the_suite_has() -> None:
    assert chosen().of(SUITE) == SUITE
    assert chosen().added == ()


def test_a_name_selects_itself_alone() -> None:
    assert chosen("mlp").of(SUITE) == ("mlp",)


def test_a_glob_selects_what_it_matches_in_the_suites_order() -> None:
    assert chosen("c*", "mlp*").of(SUITE) == SUITE


def test_a_known_name_that_the_suite_has_not_is_added() -> None:
    selection = chosen("knn")
    assert (selection.of(SUITE), selection.added) == ((), ("knn",))


def test_a_glob_that_matches_nothing_of_the_suite_adds_what_it_matches_elsewhere() -> None:
    assert chosen("rand*").added == ("random-forest",)


def test_a_glob_that_matches_in_the_suite_adds_nothing_from_elsewhere() -> None:
    selection = chosen("*n*")
    assert (selection.of(SUITE), selection.added) == (("mlp-plain", "cnn"), ())


def test_a_file_is_added_whatever_the_suite_has() -> None:
    assert chosen("net.py", "mlp").added == ("net.py",)


def test_what_is_named_twice_is_added_once() -> None:
    assert chosen("knn", "kn*", "knn").added == ("knn",)


@pytest.mark.parametrize(("name", "said"), [("mpl-plain", "did you mean 'mlp-plain'"), ("x*", "unknown model 'x\\*'")])
def test_what_is_not_known_is_answered_with_the_nearest(name: str, said: str) -> None:
    with pytest.raises(UnknownName, match=said):
        chosen(name)


def test_a_name_is_told_from_a_glob_that_matches_it() -> None:
    selection = chosen("knn", "mlp*", "rand*", "net.py")
    named = [name for name in (*KNOWN, "net.py") if selection.names(name)]
    assert named == ["knn", "net.py"]


def expanded(*names: str) -> tuple[str, ...]:
    return expand_globs("model", names, KNOWN, where=lambda name: f"line of {name}", listing="bench list models")


def test_a_glob_of_a_suite_stands_for_all_that_is_known_and_each_name_once() -> None:
    assert expanded("cnn", "*n") == ("cnn", "mlp-plain", "knn")


def test_a_name_or_glob_of_a_suite_that_matches_nothing_is_refused_with_its_place() -> None:
    with pytest.raises(UnknownName, match="unknown model 'emnist-\\*' in line of emnist-\\*"):
        expanded("mlp", "emnist-*")
    with pytest.raises(UnknownName, match="unknown model 'cn' in line of cn: did you mean 'cnn'"):
        expanded("cn")
