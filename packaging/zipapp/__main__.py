"""What Python runs of the archive; also an old one has to be able to read it, to say what is wrong."""

import sys

if sys.version_info < (3, 10):  # noqa: UP036
    sys.stderr.write("oomtop: needs Python 3.10 or newer, this is %d.%d\n" % sys.version_info[:2])  # noqa: UP031
    sys.exit(2)
# Beside the sources there is byte code for each version that was at hand when the archive was made.
sys.path[:1] = [sys.path[0] + "/cp%d%d" % sys.version_info[:2], sys.path[0] + "/any"]  # noqa: UP031

from oomtop.cli import main  # noqa: E402

main()
