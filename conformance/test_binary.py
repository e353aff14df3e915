"""The built binary holds no more than it uses."""

import os
import unittest

from product import BINARY

LIMIT = 32 << 20  # bytes


class Binary(unittest.TestCase):
    def test_the_linker_drops_what_is_not_used(self):
        """Where a method is looked up by its name, as text/template does, the linker keeps every method of the AWS SDK: three
        times the size, and twice the memory of every command."""
        self.assertLess(os.path.getsize(BINARY), LIMIT, "find what brought reflection in: whydeadcode, or cobra's Set...Template")


if __name__ == "__main__":
    unittest.main()
