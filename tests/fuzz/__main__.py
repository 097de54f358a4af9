"""`python -m tests.fuzz [DOOR ...] [--seed N] [--count N] [--only N]`: try many cases of each door, or one again."""

import argparse
import signal
import sys
import time
from collections import Counter

from tests.fuzz.harness import Cost, attack, doors


def main() -> int:
    known = doors()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("door", nargs="*", help=f"{', '.join(known)}; all without one")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="a new one each time")
    parser.add_argument("--count", type=int, help="cases of each door, instead of the door's own number")
    parser.add_argument("--only", type=int, help="the number of the one case to try")
    options = parser.parse_args()
    # A job in the background ignores Ctrl-C; told to end, it says as well how far it came.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    kinds: Counter[str] = Counter()
    for name in options.door or known:
        count = 1 if options.only is not None else options.count or known[name].many
        begun, worst = time.monotonic(), Cost()
        try:
            for finding in attack(known[name], count, options.seed, options.only or 0, worst):
                if not kinds[f"{name}: {finding.problem}"]:
                    print(f"{name}: {finding}", flush=True)
                kinds[f"{name}: {finding.problem}"] += 1
        except KeyboardInterrupt:
            kinds["interrupted"] += 1
        spent = time.monotonic() - begun
        print(f"{name}: {worst.cases} cases of seed {options.seed} in {spent:.0f} s; at most {worst}", flush=True)
    for kind, times in kinds.most_common():
        print(f"{times:6} {kind}")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
