"""What people see of /mydata."""
