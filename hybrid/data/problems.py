"""Everything that is wrong with a data set, collected and told at once."""

from hybrid.errors import UserError

MOST_LISTED = 50


class DatasetError(UserError):
    """The data set cannot be used; the message has one line a problem, `problems` all of them."""

    def __init__(self, title: str, problems: list[str]):
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = [f"{title}: {count}", *(f"  {problem}" for problem in problems[:MOST_LISTED])]
        if len(problems) > MOST_LISTED:
            lines.append(f"  ... and {len(problems) - MOST_LISTED} more")
        super().__init__("\n".join(lines))
        self.problems = tuple(problems)


class Problems:
    """A list to add problems to, so that all are told before the program stops."""

    def __init__(self, title: str):
        self.title = title
        self.problems: list[str] = []

    def add(self, problem: str) -> None:
        self.problems.append(problem)  # twice where two readers of one file find it

    def raise_if_any(self) -> None:
        if self.problems:
            raise DatasetError(self.title, list(dict.fromkeys(self.problems)))


def some_of(names, most: int = 3) -> str:
    """'a', 'b', 'c' and 4 more."""
    names = list(names)
    listed = ", ".join(repr(name) for name in names[:most])
    return listed if len(names) <= most else f"{listed} and {len(names) - most} more"
