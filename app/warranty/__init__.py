"""What is covered, until when, who pays, and why."""
