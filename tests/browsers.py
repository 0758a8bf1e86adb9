"""Chromium, for tests that look at pages in it."""

import pytest

from benchmarks.browser import CHROMIUM

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
