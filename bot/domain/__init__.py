"""Pure values and rules: nothing here does input or output, or imports anything but the standard library."""
