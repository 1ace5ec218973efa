"""What people see of /inventory."""
