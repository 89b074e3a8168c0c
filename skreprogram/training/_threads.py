"""Pieces of work side by side, each in one of torch's threads."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import torch


def in_threads(function, items, n_threads):
    """Call a function on all items, several at a time.

    Small convolutions do not gain from several threads inside: these wait for one another at the
    end of each. Threads that have a batch each meet once a batch.

    Parameters
    ----------
    function : callable
        Of one item.
    items : iterable
        What it is called on.
    n_threads : int
        Items at a time; 1 calls it here, with all of torch's threads.

    Yields
    ------
    result : object
        What the function returned, in the order of the items; errors are raised here.
    """
    if n_threads == 1:
        yield from map(function, items)
        return
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,))
    waiting = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            # results must not pile up where they are taken more slowly
            if len(waiting) > 2 * n_threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
        # each thread has a number of its own, but new ones begin with what was set last
        torch.set_num_threads(before)
