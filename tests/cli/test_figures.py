"""Options of figures on the command line."""

from pathlib import Path

import pytest

from commands import relevance_command as run
