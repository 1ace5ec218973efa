"""What people see of links and Steam sign-in."""
