"""``python -m nonstop`` is the command ``nonstop``."""

import sys

from nonstop.cli.main import main

sys.exit(main())
