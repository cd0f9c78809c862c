import pytest

from hybrid.rating.showings import DISTANCE, showings


def names(count):
    return [f"{n:04d}.mp4" for n in range(count)]


@pytest.mark.parametrize("count", [1, 2, 3, 10, 57, 1000])
@pytest.mark.parametrize("repeated", [0, 0.1, 0.5])
def test_every_clip_is_shown_once_and_the_share_a_second_time_at_a_distance(count, repeated):
    shown = showings(names(count), "Eva", repeated)
    assert sorted(clip for clip, number in shown if number == 1) == names(count)
    again = [clip for clip, number in shown if number == 2]
    assert len(again) == len(set(again)) == min(round(repeated * count), count - min(DISTANCE, count // 2))
    for clip in again:
        between = shown[shown.index((clip, 1)) + 1 : shown.index((clip, 2))]
        assert len({other for other, _ in between}) >= min(DISTANCE, count // 2) - (count < 4)


def test_raters_have_different_orders_which_stay_the_same():
    eva, ada = (showings(names(40), rater, 0.1) for rater in ("Eva", "Ada"))
    assert eva != ada
    assert eva == showings(names(40)[::-1], "Eva", 0.1)


def test_clips_that_are_added_leave_the_order_of_the_others():
    before = showings(names(40), "Eva", 0)
    after = showings(names(60), "Eva", 0)
    assert [showing for showing in after if showing in before] == before


def test_the_first_clip_is_any():
    firsts = {showings(names(10), f"rater{n}", 0)[0] for n in range(200)}
    assert len(firsts) == 10
