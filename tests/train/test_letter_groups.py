from speller.train.letter_groups import letter_groups


def test_letters_that_are_taken_for_one_another_are_grouped():
    pairs = [
        ("cat", "kat"),
        ("kat", "cat"),
        ("quick", "quikk"),
        ("bed", "bad"),
        ("bid", "bed"),
        ("bad", "bid"),
        ("bed", "bid"),
    ]
    plain = [(word, word) for word in ("tub", "dot", "nut", "tomb", "lamp", "fun")] * 5
    assert letter_groups(pairs + plain) == ("aei", "ck")


def test_a_rare_slip_makes_nothing_alike():
    plain = [(word, word) for word in ("tub", "dot", "nut", "tomb", "lamp", "fun")] * 50
    many = [("kat", "cat"), ("cat", "kat")] * 20
    assert letter_groups([*plain, *many, ("tun", "tub")]) == ("ck",)


def test_swaps_and_missing_letters_are_no_likeness():
    assert letter_groups([("hte", "the"), ("helo", "hello")] * 3 + [("helllo", "hello")]) == ()
    assert letter_groups([]) == ()


def test_no_more_than_letters_are_grouped():
    assert letter_groups([("dont-", "dont'"), ("a-b", "a'b")] * 5) == ()
