"""What people see of /trades."""
