"""The pictures of the README and the documents are of the screen as it is."""

from screenshots import age


def test_the_pictures_are_of_this_screen() -> None:
    taken, now = age.TAKEN.read_text().splitlines(), age.screen().splitlines()
    differing = [pair for pair in zip(taken, now, strict=False) if pair[0] != pair[1]]
    assert not differing, f"run `make screenshots`; first: {differing[0]}"
    assert len(taken) == len(now)
