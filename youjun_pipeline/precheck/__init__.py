"""The check before sending: everything that is wrong with a district's files, told before anybody else sees them."""
