"""What people see of /explain."""
