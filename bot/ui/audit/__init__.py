"""What people see of the audit log."""
