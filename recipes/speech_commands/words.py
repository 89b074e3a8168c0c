"""The words of Speech Commands v2, in the order of the outputs of every network of this recipe."""

NAMES = """
backward bed bird cat dog down eight five follow forward four go happy house learn left marvin nine
no off on one right seven sheila six stop three tree two up visual wow yes zero
"""
WORDS = tuple(NAMES.split())
