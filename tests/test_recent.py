from concurrent.futures import ThreadPoolExecutor

from speller.recent import Recent


def test_what_was_used_last_is_remembered() -> None:
    recent = Recent[str, int](3)
    for number, letter in enumerate("abc"):
        recent.put(letter, number)
    assert recent.get("a") == 0
    recent.put("d", 3)
    assert [recent.get(letter) for letter in "abcd"] == [0, None, 2, 3]
    recent.put("a", 9)
    assert recent.get("a") == 9
    assert len(recent) == 3


def test_nothing_is_remembered_without_capacity() -> None:
    recent = Recent[str, int](0)
    recent.put("a", 1)
    assert recent.get("a") is None


def test_threads_share_it() -> None:
    recent = Recent[int, int](50)

    def use(start: int) -> bool:
        for key in range(start, start + 2000):
            recent.put(key % 97, key % 97)
        return all(recent.get(key) in (key, None) for key in range(97))

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(8)))
    assert len(recent) == 50
