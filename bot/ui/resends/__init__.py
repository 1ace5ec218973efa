"""What people see of resends."""
